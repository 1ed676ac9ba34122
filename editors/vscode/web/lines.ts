import type { Place } from '../src/protocol';

/** First and last line of a place, counted from 1. */
export function lines({ range }: Pick<Place, 'range'>): [number, number] {
  // A range that ends before the first character of a line does not mean that line.
  const last = range.end.character === 0 && range.end.line > range.start.line ? range.end.line : range.end.line + 1;
  return [range.start.line + 1, last];
}
