/** Text a model or a user wrote: never markup, hidden characters visible, marked where a score points. */

import { Fragment, useMemo, useState } from "react";
import { asText, hasHidden, label, pieces } from "../lib/hidden";

/** A place of the text that something points at. */
export interface TextMark {
  start: number;
  end: number;
  title: string;
  tone?: "pass" | "fail" | "plain";
  id?: string;
}

const SHOWN = 8_000;

/** The characters with hidden ones written out. */
export function Characters({ text }: { text: string }) {
  if (!hasHidden(text)) return <>{text}</>;
  return (
    <>
      {pieces(text).map((piece) =>
        piece.hidden ? (
          <span key={piece.start} className="hid" title="hidden character">{label(piece)}</span>
        ) : (
          <Fragment key={piece.start}>{piece.text}</Fragment>
        ),
      )}
    </>
  );
}

/** Cut a text at the marks' ends; marks are clamped to the text, of overlapping ones the earlier wins. */
function segments(text: string, marks: readonly TextMark[]): { text: string; start: number; mark: TextMark | null }[] {
  const sorted = [...marks].filter((mark) => mark.end > mark.start).sort((a, b) => a.start - b.start);
  const found: { text: string; start: number; mark: TextMark | null }[] = [];
  let done = 0;
  for (const mark of sorted) {
    const start = Math.max(mark.start, done);
    const end = Math.min(mark.end, text.length);
    if (end <= start) continue;
    if (start > done) found.push({ text: text.slice(done, start), start: done, mark: null });
    found.push({ text: text.slice(start, end), start, mark });
    done = end;
  }
  if (done < text.length) found.push({ text: text.slice(done), start: done, mark: null });
  return found;
}

interface TextProps {
  value: unknown;
  marks?: readonly TextMark[];
  mono?: boolean;
  plain?: boolean;
  className?: string;
}

/** A block of text; long ones are cut with a button for the rest. */
export function Text({ value, marks = [], mono = false, plain = false, className = "" }: TextProps) {
  const text = asText(value);
  const [all, setAll] = useState(false);
  const cut = !all && text.length > SHOWN;
  const shown = cut ? text.slice(0, SHOWN) : text;
  const parts = useMemo(() => segments(shown, marks), [shown, marks]);
  if (!text.trim()) return <p className="none">{text ? `(${text.length} white-space characters)` : "(empty)"}</p>;
  const structured = mono || (typeof value === "object" && value !== null);
  return (
    <div className={`${plain ? "text bare" : "text"} ${structured ? "code" : ""} ${className}`} dir="auto" tabIndex={-1}>
      {parts.map((part) =>
        part.mark ? (
          <mark key={part.start} className={part.mark.tone ?? "plain"} title={part.mark.title} id={part.mark.id}>
            <Characters text={part.text} />
          </mark>
        ) : (
          <Characters key={part.start} text={part.text} />
        ),
      )}
      {cut && (
        <button type="button" className="link cut" onClick={() => setAll(true)}>
          … {(text.length - SHOWN).toLocaleString("en-US")} more characters: show
        </button>
      )}
    </div>
  );
}

/** One line of text in a table; the whole in a title is left out on purpose (it may be huge). */
export function Line({ value, width = 300, className = "" }: { value: unknown; width?: number; className?: string }) {
  const text = asText(value).slice(0, width * 3).replace(/[ \t\n\r]+/g, " ").trim();
  const shown = text.length > width ? `${text.slice(0, width)}…` : text;
  return <span className={`line ${className}`} dir="auto">{shown ? <Characters text={shown} /> : <span className="muted">(empty)</span>}</span>;
}
