/** Narrowing hits down by language, path and kind. Pure. */

import type { Hit } from '../../src/protocol';

export interface Filters {
  /** Empty: all. */
  language: string;
  /** Parts of a path or globs, separated by commas; with `!` in front: not these. */
  path: string;
  /** Only definitions. */
  symbols: boolean;
}

export const NO_FILTERS: Filters = { language: '', path: '', symbols: false };

export function filtered(hits: readonly Hit[], filters: Filters): Hit[] {
  const patterns = filters.path.split(',').map((part) => part.trim()).filter(Boolean);
  const wanted = patterns.filter((part) => !part.startsWith('!')).map(matcher);
  const unwanted = patterns.filter((part) => part.startsWith('!') && part.length > 1).map((part) => matcher(part.slice(1)));
  return hits.filter(
    (hit) =>
      (!filters.language || hit.language === filters.language) &&
      (!filters.symbols || hit.symbol !== null) &&
      (wanted.length === 0 || wanted.some((match) => match(hit.path))) &&
      !unwanted.some((match) => match(hit.path)),
  );
}

/** The languages of some hits with their counts, the most frequent first. */
export function languages(hits: readonly Hit[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { language } of hits) {
    counts.set(language, (counts.get(language) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b));
}

/** Whether a path holds a text or, where that has `*` or `?`, fits it as a glob, at any depth. */
function matcher(pattern: string): (path: string) => boolean {
  if (!/[*?]/.test(pattern)) {
    return (path) => path.toLowerCase().includes(pattern.toLowerCase());
  }
  const parts = pattern.split(/(\*\*\/?|\*|\?)/).map((part) => {
    if (part.startsWith('**')) {
      return '.*';
    }
    return part === '*' ? '[^/]*' : part === '?' ? '[^/]' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  });
  const whole = new RegExp(`^(?:.*/)?${parts.join('')}(?:/.*)?$`, 'i');
  return (path) => whole.test(path);
}
