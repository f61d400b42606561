/** An answer whose places can be marked as evidence: what the reader selects is told in the text's own characters. */

import { hasHidden, label, pieces } from "../../lib/hidden";
import { toPoints } from "../../lib/points";
import type { SpanNote } from "../../api/types";

interface SelectableProps {
  side: string;
  text: string;
  spans: readonly SpanNote[];
}

interface Bit {
  text: string;
  start: number;
  hidden: boolean;
  length: number;
  label: string;
}

function bitsOf(text: string): Bit[] {
  if (!hasHidden(text)) return [{ text, start: 0, hidden: false, length: text.length, label: text }];
  return pieces(text).map((piece) => ({ text: piece.text, start: piece.start, hidden: piece.hidden, length: piece.hidden ? piece.text.length * piece.count : piece.text.length, label: piece.hidden ? label(piece) : piece.text }));
}

/** Cut plain bits where a span begins or ends. */
function cut(bits: Bit[], edges: number[]): Bit[] {
  return bits.flatMap((bit) => {
    if (bit.hidden) return [bit];
    const inside = edges.filter((edge) => edge > bit.start && edge < bit.start + bit.length).sort((a, b) => a - b);
    const bounds = [bit.start, ...inside, bit.start + bit.length];
    return bounds.slice(0, -1).map((start, place) => {
      const text = bit.text.slice(start - bit.start, (bounds[place + 1] ?? 0) - bit.start);
      return { text, start, hidden: false, length: text.length, label: text };
    });
  });
}

export function Selectable({ side, text, spans }: SelectableProps) {
  const units = spans.map((span) => ({ ...span, from: [...text].slice(0, span.start).join("").length, to: [...text].slice(0, span.end).join("").length }));
  const bits = cut(bitsOf(text), units.flatMap((span) => [span.from, span.to]));
  return (
    <div className="text answer-text" data-side={side} dir="auto">
      {text ? bits.map((bit) => {
        const span = units.find((each) => bit.start >= each.from && bit.start < each.to);
        const shown = <span key={bit.start} data-start={bit.start} data-length={bit.length} {...(bit.hidden ? { "data-hidden": "" } : {})} className={bit.hidden ? "hid" : undefined}>{bit.label}</span>;
        return span ? <mark key={bit.start} title={span.note}>{shown}</mark> : shown;
      }) : <span className="muted">(empty)</span>}
    </div>
  );
}

function position(node: Node, offset: number, end: boolean): { side: string; at: number } | null {
  const element = node instanceof Element ? node : node.parentElement;
  const box = element?.closest<HTMLElement>(".answer-text");
  const bit = element?.closest<HTMLElement>("[data-start]");
  if (!box) return null;
  const side = box.dataset["side"] ?? "A";
  if (!bit) {
    const bits = box.querySelectorAll<HTMLElement>("[data-start]");
    const last = bits[bits.length - 1];
    return { side, at: offset === 0 || !last ? 0 : Number(last.dataset["start"]) + Number(last.dataset["length"]) };
  }
  const start = Number(bit.dataset["start"]);
  if ("hidden" in bit.dataset) return { side, at: end ? start + Number(bit.dataset["length"]) : start };
  return { side, at: start + offset };
}

/** What is selected in an answer, as a span in characters; null when nothing is. */
export function selectedSpan(outputs: readonly { side: string; text: string }[]): SpanNote | null {
  const selection = window.getSelection();
  if (!selection || selection.isCollapsed || !selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  const from = position(range.startContainer, range.startOffset, false);
  const to = position(range.endContainer, range.endOffset, true);
  if (!from || !to || from.side !== to.side || to.at <= from.at) return null;
  const text = outputs.find((output) => output.side === from.side)?.text ?? "";
  return { side: from.side, start: toPoints(text, from.at), end: toPoints(text, to.at), text: text.slice(from.at, to.at), note: "" };
}
