/** What a suggestion rests on, as rows. No VS Code in here. */

import type { Place, Why } from './protocol';
import { reuse } from './statusText';

export interface Line {
  label: string;
  detail: string;
  icon: string;
  /** Where in the workspace a click leads. */
  place?: Pick<Place, 'path' | 'range'>;
}

const OUTCOMES = {
  suggested: 'Suggested',
  nothing: 'Nothing to suggest',
  cancelled: 'Cancelled',
  off: 'Off here',
  failed: 'Failed',
};
const ICONS = { suggested: 'sparkle', nothing: 'dash', cancelled: 'debug-stop', off: 'circle-slash', failed: 'error' };

/** The rows of the view. */
export function whyLines(why: Why): Line[] {
  const lines: Line[] = [{ label: OUTCOMES[why.outcome], detail: why.reason, icon: ICONS[why.outcome] }];
  lines.push({ label: 'Asked', detail: `${why.trigger}, line ${why.line + 1}, column ${why.character + 1}`, icon: 'edit' });
  if (why.text) {
    lines.push({ label: 'Text', detail: why.text, icon: 'quote' });
  }
  for (const each of why.context) {
    const place = placeOf(each);
    lines.push({ label: 'Read', detail: each, icon: 'file-code', ...(place && { place }) });
  }
  if (why.text && why.context.length === 0) {
    lines.push({ label: 'Read', detail: 'no other file', icon: 'file-code' });
  }
  const reused = reuse(why);
  if (reused) {
    lines.push({ label: 'Cost', detail: reused.slice(2), icon: 'history' });
  }
  for (const [name, value] of Object.entries(why.timings)) {
    if (name.endsWith('_ms')) {
      lines.push({ label: capital(name.slice(0, -3)), detail: `${Math.round(value)} ms`, icon: 'watch' });
    }
  }
  if (why.fate) {
    lines.push({ label: 'Then', detail: why.fate.replace('-', ' '), icon: 'check' });
  }
  return lines;
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');
}

function placeOf(text: string): Line['place'] {
  const found = /^(.*):(\d+)-(\d+)$/.exec(text);
  if (!found) {
    return undefined;
  }
  const [path, first, last] = [found[1]!, Number(found[2]), Number(found[3])];
  return { path, range: { start: { line: first - 1, character: 0 }, end: { line: last, character: 0 } } };
}
