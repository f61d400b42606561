/** Word-level difference of two texts, bounded so that a huge text cannot stall the page. */

import { diffWordsWithSpace } from "diff";

export interface DiffPart {
  text: string;
  kind: "same" | "added" | "removed";
}

const LIMIT = 20_000;

/** The parts of `after` against `before`; null when the texts are too different or too long to be worth it. */
export function wordDiff(before: string, after: string): DiffPart[] | null {
  if (before === after) return [{ text: after, kind: "same" }];
  if (before.length > LIMIT || after.length > LIMIT) return null;
  const parts = diffWordsWithSpace(before, after, { maxEditLength: 2_000, timeout: 150 });
  if (!parts) return null;
  return parts.map((part) => ({
    text: part.value,
    kind: part.added ? "added" : part.removed ? "removed" : "same",
  }));
}
