/**
 * Hostile text made harmless and visible: what a model wrote must never act on what shows it.
 * The same characters are shown as in the reports (`evalwright.reports.text`).
 */

/** A run of text: plain, or one hidden character repeated `count` times, from `start` in the original. */
export interface Piece {
  text: string;
  start: number;
  hidden: boolean;
  count: number;
}

const HIDDEN =
  // eslint-disable-next-line no-control-regex, no-misleading-character-class
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ufdd0-\ufdef\u{e0000}-\u{e0fff}]|[\ud800-\udfff]|[\ufe00-\ufe0f](?=[\ufe00-\ufe0f])/gu;
const JOINERS = "\u200c\u200d";

/** Whether a text holds characters that do not show or that change how others show. */
export function hasHidden(text: string): boolean {
  HIDDEN.lastIndex = 0;
  return HIDDEN.test(text);
}

/** Split a text into plain runs and hidden characters; joiners between non-Latin characters are text. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let done = 0;
  const plain = (end: number) => {
    if (end > done) found.push({ text: text.slice(done, end), start: done, hidden: false, count: 1 });
  };
  HIDDEN.lastIndex = 0;
  for (let match = HIDDEN.exec(text); match; match = HIDDEN.exec(text)) {
    const char = match[0];
    const start = match.index;
    if (JOINERS.includes(char) && joins(text, start)) continue;
    if (char === "\r" && text[start + 1] === "\n") {
      plain(start);
      done = start + 1;
      continue;
    }
    let end = start + char.length;
    while (text.startsWith(char, end)) end += char.length;
    plain(start);
    found.push({ text: char, start, hidden: true, count: (end - start) / char.length });
    done = end;
    HIDDEN.lastIndex = end;
  }
  plain(text.length);
  return found;
}

function joins(text: string, at: number): boolean {
  const before = text[at - 1] ?? "";
  const after = text[at + 1] ?? "";
  return before > "\u02ff" && after > "\u02ff";
}

/** How a hidden piece is written: `\x1b` for controls, `⟨U+202E⟩` for the rest, `×n` when it repeats. */
export function label(piece: Piece): string {
  const code = piece.text.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  const name = code < 0xa0 ? `\\x${hex.padStart(2, "0")}` : `⟨U+${hex.toUpperCase().padStart(4, "0")}⟩`;
  return piece.count === 1 ? name : `${name}×${piece.count}`;
}

/** A text on which nothing acts: every hidden character written out. For titles and attributes. */
export const visible = (text: string): string =>
  hasHidden(text) ? pieces(text).map((piece) => (piece.hidden ? label(piece) : piece.text)).join("") : text;

/** A JSON value as text: a string as it is, anything else as indented JSON. */
export function asText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

const ASKED = /"(?:question|query|prompt|input|text|content)"\s*:\s*"((?:[^"\\]|\\.)*)"/;

/** What matters of a record written as JSON (perhaps cut off): the question, where it has one. */
export function preview(text: string): string {
  if (!text.startsWith("{")) return text;
  const found = ASKED.exec(text)?.[1];
  if (!found) return text;
  try {
    return JSON.parse(`"${found}"`) as string;
  } catch {
    return found;
  }
}

/** One line, white space collapsed, cut to `width` characters. */
export function oneLine(value: unknown, width = 200): string {
  const flat = asText(value).slice(0, width * 4).replace(/\s+/g, " ").trim();
  return flat.length <= width ? flat : `${flat.slice(0, width - 1)}…`;
}
