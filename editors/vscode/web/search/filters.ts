/** What narrows a search down, as the server takes it. Pure. */

import type { Hit, SearchFilters } from '../../src/protocol';

export interface Filters {
  /** Empty: all. */
  language: string;
  /** Words or patterns, separated by commas; with `!` in front: not these. */
  path: string;
  /** A key of `KINDS`. */
  kind: string;
  /** A git revision; empty: all files. */
  since: string;
}

export const NO_FILTERS: Filters = { language: '', path: '', kind: '', since: '' };

/** Kinds of symbol by what the list calls them; none: any text. */
export const KINDS: Record<string, string[]> = {
  'Any text': [],
  Functions: ['function', 'method', 'constructor', 'macro'],
  Types: ['class', 'interface', 'enum', 'type'],
  Values: ['variable', 'constant', 'property', 'field'],
  Modules: ['module', 'section'],
};

/** The filters that are set. */
export function asked(filters: Filters): SearchFilters {
  const parts = filters.path.split(',').map((part) => part.trim()).filter((part) => part.replace('!', '') !== '');
  const kinds = KINDS[filters.kind] ?? [];
  const since = filters.since.trim();
  return {
    ...(parts.length > 0 && { globs: parts.flatMap(globs) }),
    ...(filters.language && { languages: [filters.language] }),
    ...(kinds.length > 0 && { kinds }),
    ...(since && { since }),
  };
}

/** The languages of some hits, the most frequent first. */
export function languages(hits: readonly Hit[]): string[] {
  const counts = new Map<string, number>();
  for (const { language } of hits) {
    counts.set(language, (counts.get(language) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b)).map(([name]) => name);
}

/** A part as patterns in the syntax of .gitignore; a plain word is any file or folder whose name has it. */
function globs(part: string): string[] {
  if (/[*?[/]/.test(part)) {
    return [part];
  }
  return part.startsWith('!') ? [`!*${part.slice(1)}*`] : [`*${part}*`, `**/*${part}*/**`];
}
