/** The answer of one trial: conversation, text with the marks of its scores, tool calls with results, passages. */

import { useMemo, type ReactNode } from "react";
import type { Evidence, Passage, ToolCall, Unit } from "../api/types";
import { Text, type TextMark } from "../components/Text";
import { Turns, Value } from "../components/Value";
import { Outcome } from "../components/Verdict";
import { number } from "../lib/format";
import { oneLine, visible } from "../lib/hidden";
import { fromPoints } from "../lib/points";
import { turnsOf } from "../lib/turns";

interface Pin extends Evidence {
  metric: string;
  place: number;
  passed: boolean | null | undefined;
}

/** Every place the scores point at. */
function pinsOf(unit: Unit): Pin[] {
  return Object.entries(unit.scores).flatMap(([metric, score]) =>
    (score.evidence ?? []).map((item, place) => ({ ...item, metric, place, passed: score.passed })));
}

function marksFor(text: string, pins: Pin[]): TextMark[] {
  const at = fromPoints(text);
  return pins.flatMap((pin) => {
    let [start, end] = [pin.start, pin.end];
    if (typeof start === "number" && typeof end === "number") [start, end] = [at(start), at(end)];
    else if (pin.text) {
      start = text.indexOf(pin.text);
      end = start + pin.text.length;
    }
    if (typeof start !== "number" || typeof end !== "number" || start < 0) return [];
    const tone = pin.passed === false ? "fail" as const : pin.passed === true ? "pass" as const : "plain" as const;
    return [{ start, end, tone, id: `mark-${pin.metric}-${pin.place}`, title: visible(`${pin.metric}${pin.note ? `: ${pin.note}` : ""}`) }];
  });
}

export function Answer({ unit }: { unit: Unit }) {
  const pins = useMemo(() => pinsOf(unit), [unit]);
  const { output } = unit;
  if (unit.error || !output) return <div className="notice"><b>No answer: {visible(unit.error?.kind ?? "unknown")}</b><Text plain value={unit.error?.message ?? ""} /></div>;
  const of = (...places: string[]) => pins.filter((pin) => places.includes(pin.where ?? "output"));
  const text = output.text ?? "";
  const turns = turnsOf(output.messages);
  return (
    <>
      {turns && turns.length > 1 && <details className="part" open={turns.length <= 12}><summary className="h4">Conversation ({turns.length} messages)</summary><Turns turns={turns} /></details>}
      <Part title="Answer"><Text value={text} marks={marksFor(text, of("output", "text", "answer"))} /></Part>
      {output.data !== null && output.data !== undefined && <Part title="Data"><Value value={output.data} /></Part>}
      {!!output.tool_calls?.length && <Part title={`Tool calls (${output.tool_calls.length})`}><Calls calls={output.tool_calls} pins={of("tool_call")} /></Part>}
      {!!output.contexts?.length && <Part title={`Retrieved passages (${output.contexts.length}, ${output.contexts.filter((each) => cited(each, output.citations)).length} cited)`}><Passages contexts={output.contexts} citations={output.citations ?? []} pins={of("context")} /></Part>}
      {!!output.citations?.length && !output.contexts?.length && <Part title="Citations"><p>{output.citations.map((each) => <span key={each} className="chip">{visible(each)}</span>)}</p></Part>}
    </>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return <section className="part"><h4>{title}</h4>{children}</section>;
}

const cited = (passage: Passage, citations: string[] | undefined) => !!passage.id && !!citations?.includes(passage.id);

function PinBadges({ pins }: { pins: Pin[] }) {
  return <>{pins.map((pin) => <span key={`${pin.metric}${pin.place}`} id={`mark-${pin.metric}-${pin.place}`} className={`pin ${pin.passed === false ? "fail" : ""}`} title={visible(pin.note ?? "")}><Outcome passed={pin.passed} /> {visible(pin.metric)}{pin.note ? <span className="muted"> {visible(pin.note)}</span> : null}</span>)}</>;
}

function Calls({ calls, pins }: { calls: ToolCall[]; pins: Pin[] }) {
  return (
    <ol className="calls">
      {calls.map((call, place) => (
        <li key={place} className={call.error ? "bad" : ""}>
          <div className="call-head"><span className="num muted">{place + 1}</span> <code>{visible(call.name)}</code> {call.error && <span className="pill fail">error</span>} <PinBadges pins={pins.filter((pin) => pin.index === place)} /></div>
          <div className="io"><span>called with</span><Text mono value={call.arguments ?? "(nothing)"} /></div>
          <div className="io"><span>{call.error ? "failed" : "gave back"}</span><Text mono value={call.error ?? call.result ?? "(nothing)"} /></div>
        </li>
      ))}
    </ol>
  );
}

function Passages({ contexts, citations, pins }: { contexts: Passage[]; citations: string[]; pins: Pin[] }) {
  return (
    <ol className="passages">
      {contexts.map((passage, place) => {
        const mine = pins.filter((pin) => pin.index === place);
        const marks = marksFor(passage.text ?? "", mine.filter((pin) => typeof pin.start === "number" || pin.text));
        return (
          <li key={place}>
            <details open={place < 3 || mine.length > 0}>
              <summary><span className="num muted">{place + 1}</span> <b>{visible(passage.id ?? "")}</b> {cited(passage, citations) ? <span className="pill cited">cited</span> : <span className="pill muted">not cited</span>} {typeof passage.score === "number" && <span className="muted">score {number(passage.score)}</span>} <PinBadges pins={mine.filter((pin) => typeof pin.start !== "number" && !pin.text)} /> <span className="peek muted">{visible(oneLine(passage.text, 110))}</span></summary>
              <Text value={passage.text ?? ""} marks={marks} />
            </details>
          </li>
        );
      })}
    </ol>
  );
}
