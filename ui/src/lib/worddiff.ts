/** Word-level difference of two texts, bounded so that a huge text cannot stall the page. */

import { diffWordsWithSpace } from "diff";

export interface DiffPart {
  text: string;
  kind: "same" | "added" | "removed";
}

const LIMIT = 20_000;
/** Below this share of common text, the two are told one after the other instead of word by word. */
const COMMON = 0.3;

/** The parts of `after` against `before`; null when the texts are too different or too long to be worth it. */
export function wordDiff(before: string, after: string): DiffPart[] | null {
  if (before === after) return [{ text: after, kind: "same" }];
  if (before.length > LIMIT || after.length > LIMIT) return null;
  const parts = diffWordsWithSpace(before, after, { maxEditLength: 2_000, timeout: 150 });
  if (!parts) return null;
  const found = parts.map((part): DiffPart => ({ text: part.value, kind: part.added ? "added" : part.removed ? "removed" : "same" }));
  const common = found.filter((part) => part.kind === "same").reduce((sum, part) => sum + part.text.trim().length, 0);
  if (common < COMMON * Math.max(before.length, after.length)) return rewritten(before, after);
  return together(found);
}

const rewritten = (before: string, after: string): DiffPart[] =>
  [{ text: before, kind: "removed" as const }, { text: after, kind: "added" as const }].filter((part) => part.text);

/** Whether nothing of the old text is left. */
export const isRewritten = (parts: readonly DiffPart[]): boolean => parts.length <= 2 && parts.every((part) => part.kind !== "same");

/** Neighbouring changes as one: the blanks between changed words belong to the change. */
function together(parts: readonly DiffPart[]): DiffPart[] {
  const found: DiffPart[] = [];
  let [removed, added] = ["", ""];
  const flush = () => {
    if (removed) found.push({ text: removed, kind: "removed" });
    if (added) found.push({ text: added, kind: "added" });
    [removed, added] = ["", ""];
  };
  parts.forEach((part, place) => {
    const between = part.kind === "same" && !part.text.trim() && (removed || added) && parts[place + 1] && parts[place + 1]?.kind !== "same";
    if (part.kind === "removed" || between) removed += part.text;
    if (part.kind === "added" || between) added += part.text;
    if (part.kind === "same" && !between) {
      flush();
      found.push(part);
    }
  });
  flush();
  return found;
}
