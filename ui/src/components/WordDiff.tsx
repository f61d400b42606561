/** Two texts with the words that differ marked: what was removed is struck through, what was added is underlined. */

import { useMemo } from "react";
import { asText } from "../lib/hidden";
import { isRewritten, wordDiff } from "../lib/worddiff";
import { Characters } from "./Text";

interface WordDiffProps {
  before: unknown;
  after: unknown;
  /** In a narrow row only the new text is shown where nothing of the old is left. */
  dense?: boolean;
}

export function WordDiff({ before, after, dense = false }: WordDiffProps) {
  const [old, now] = [asText(before), asText(after)];
  const parts = useMemo(() => wordDiff(old, now), [old, now]);
  if (!parts) return <span dir="auto"><Characters text={now.slice(0, 2_000)} /> <em className="muted">(too different for a word diff)</em></span>;
  const shown = dense && isRewritten(parts) ? parts.filter((part) => part.kind === "added") : parts;
  return (
    <span className="diff" dir="auto">
      {shown.map((part, place) =>
        part.kind === "same" ? (
          <Characters key={place} text={part.text} />
        ) : part.kind === "added" ? (
          <ins key={place}><Characters text={part.text} /></ins>
        ) : (
          <del key={place}><Characters text={part.text} /></del>
        ),
      )}
    </span>
  );
}
