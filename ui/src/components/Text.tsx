/** Text a model or a user wrote: never markup, hidden characters visible, marked where a score points. */

import { Fragment, useMemo, useState } from "react";
import { asText, hasHidden, label, pieces, preview } from "../lib/hidden";

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

interface Segment {
  text: string;
  start: number;
  marks: TextMark[];
  /** The marks that begin here, to be jumped to. */
  begins: TextMark[];
}

/** Cut a text where marks begin and end; a place may carry several. */
function segments(text: string, marks: readonly TextMark[]): Segment[] {
  const real = marks.filter((mark) => mark.end > mark.start && mark.start < text.length).slice(0, 200);
  const edges = [...new Set([0, text.length, ...real.flatMap((mark) => [mark.start, Math.min(mark.end, text.length)])])].sort((a, b) => a - b);
  return edges.slice(0, -1).map((start, place) => {
    const covering = real.filter((mark) => mark.start <= start && mark.end > start);
    return { text: text.slice(start, edges[place + 1]), start, marks: covering, begins: covering.filter((mark) => mark.start === start) };
  });
}

/** The tone of a place: failing marks win. */
const toneOf = (marks: readonly TextMark[]): string => (marks.some((mark) => mark.tone === "fail") ? "fail" : marks[0]?.tone ?? "plain");

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
        part.marks.length ? (
          <mark key={part.start} className={toneOf(part.marks)} title={part.marks.map((mark) => mark.title).join("\n")}>
            {part.begins.map((mark) => <span key={mark.id} id={mark.id} className="anchor-point" />)}
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
  const text = preview(asText(value)).slice(0, width * 3).replace(/[ \t\n\r]+/g, " ").trim();
  const shown = text.length > width ? `${text.slice(0, width)}…` : text;
  return <span className={`line ${className}`} dir="auto">{shown ? <Characters text={shown} /> : <span className="muted">(empty)</span>}</span>;
}
