/** The server counts characters (code points), the browser counts UTF-16 units; texts with emoji need both. */

const WIDE = /[\ud800-\udbff][\udc00-\udfff]/;

/** A function from character positions to positions in the browser's string. */
export function fromPoints(text: string): (at: number) => number {
  if (!WIDE.test(text)) return (at) => at;
  const starts: number[] = [];
  for (let unit = 0; unit < text.length; ) {
    starts.push(unit);
    unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
  }
  return (at) => starts[at] ?? text.length;
}

/** The character position of a position in the browser's string. */
export const toPoints = (text: string, at: number): number => (WIDE.test(text) ? [...text.slice(0, at)].length : at);
