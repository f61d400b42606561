/** A lead settles what reviewers disagree on, with all labels and reasons side by side. */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { ApiError, api } from "../../api/client";
import { useGet } from "../../api/queries";
import type { ContextPart, Label, Listing, Queue, Rubric } from "../../api/types";
import { useKeys, type Key } from "../../app/keys";
import { useQueryState } from "../../app/router";
import { useProject } from "../../app/session";
import { Page } from "../../components/Page";
import { Empty, Loaded } from "../../components/Status";
import { Characters } from "../../components/Text";
import { visible } from "../../lib/hidden";
import { Shown } from "./Shown";
import { useQueue } from "./QueuePage";

interface Content {
  input: unknown;
  context?: ContextPart[];
  expected?: unknown;
  outputs: { text: string; side?: string; context?: ContextPart[] }[];
}

interface Dissent {
  item: { id: string; content?: Content; hidden?: { case_id?: string; origins?: { run_id?: string; model?: string; target?: string }[] } } & Partial<Content>;
  labels: Label[];
  differing: string[];
  flags?: { rater: string; note?: string }[];
  may?: boolean;
}

export function Adjudication({ id }: { id: string }) {
  const project = useProject();
  const queue = useQueue(id);
  const query = useGet<Listing<Dissent>>(project.api(`/review/queues/${encodeURIComponent(id)}/adjudication`));
  return (
    <Page wide name="Adjudication" title="Adjudication" crumbs={[{ text: "Review", to: project.page("/review") }, { text: visible(queue.data?.name ?? id), to: project.page(`/review/${encodeURIComponent(id)}`) }]}
      lead="Items that reviewers labelled differently, or flagged. What you decide becomes gold.">
      <Loaded query={queue}>{(found) => <Loaded query={query} rows={8}>{(data) => data.items.length ? <Bench queue={found} items={data.items} path={project.api(`/review/queues/${encodeURIComponent(id)}/adjudication`)} /> : <Empty title="Nothing to decide">No item waits for a lead.</Empty>}</Loaded>}</Loaded>
    </Page>
  );
}

interface Choice {
  value: string;
  text: string;
}

function choicesFor(queue: Queue, rubric: Rubric): Choice[] {
  if (queue.kind === "pairwise") return [{ value: "first", text: "the first" }, { value: "tie", text: "equally good" }, { value: "second", text: "the second" }];
  return rubric.levels.map((level) => ({ value: level.name, text: level.name }));
}

function Bench({ queue, items, path }: { queue: Queue; items: Dissent[]; path: string }) {
  const project = useProject();
  const client = useQueryClient();
  const [read, write] = useQueryState();
  const place = Math.max(0, items.findIndex((each) => each.item.id === read("item")));
  const dissent = items[place];
  const [answers, setAnswers] = useState<Record<string, string>>({});
  const [reason, setReason] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);
  const open = useMemo(() => queue.rubrics.filter((rubric) => !dissent?.differing.length || dissent.differing.includes(rubric.name)), [queue, dissent]);
  const [focus, setFocus] = useState(0);
  useEffect(() => {
    setAnswers({});
    setReason("");
    setError(null);
    setFocus(0);
    box.current?.blur();
  }, [dissent?.item.id]);
  const move = (to: number) => {
    const next = items[Math.max(0, Math.min(items.length - 1, to))];
    if (next) write({ item: next.item.id });
  };
  const decide = async () => {
    if (!dissent || busy) return;
    setBusy(true);
    setError(null);
    try {
      await api.post(project.api(`/review/items/${encodeURIComponent(dissent.item.id)}/adjudicate`), { answers, reason });
      const next = items[place + 1] ?? items[place - 1];
      write({ item: next?.item.id ?? null });
      await client.invalidateQueries({ queryKey: [path] });
      void client.invalidateQueries();
    } catch (caught) {
      setError(caught instanceof ApiError ? caught : new ApiError(0, "error", String(caught)));
    } finally {
      setBusy(false);
    }
  };
  const choose = (rubric: Rubric | undefined, index: number) => {
    const picked = rubric && choicesFor(queue, rubric)[index];
    if (!rubric || !picked) return;
    setAnswers((now) => ({ ...now, [rubric.name]: picked.value }));
    setFocus((now) => Math.min(now + 1, open.length - 1));
  };
  const keys: Key[] = [
    ...Array.from({ length: 9 }, (_, index): Key => ({ key: String(index + 1), what: `decide for level ${index + 1}`, run: () => choose(open[focus], index) })),
    { key: "ArrowDown", what: "next question", run: () => setFocus(Math.min(focus + 1, open.length - 1)) },
    { key: "ArrowUp", what: "question before", run: () => setFocus(Math.max(focus - 1, 0)) },
    { key: "Enter", what: "write the reason", run: () => box.current?.focus() },
    { key: "Ctrl+Enter", what: "decide and go on", typing: true, run: () => void decide() },
    { key: "]", what: "next item", run: () => move(place + 1) },
    { key: "[", what: "item before", run: () => move(place - 1) },
  ];
  useKeys("Adjudication", keys);
  if (!dissent) return null;
  const content: Content = dissent.item.content ?? { input: dissent.item.input, outputs: dissent.item.outputs ?? [], ...(dissent.item.context ? { context: dissent.item.context } : {}), expected: dissent.item.expected };
  const sides = ["first", "second"];
  const shown = { id: dissent.item.id, queue_id: queue.id, kind: queue.kind, lease_until: 0, position: { done: 0, total: 0 }, rubrics: queue.rubrics, input: content.input, context: content.context ?? [], expected: content.expected, outputs: content.outputs.map((output, index) => ({ side: content.outputs.length > 1 ? sides[index] ?? "" : "A", text: output.text, context: output.context ?? [] })) };
  const spans = dissent.labels.flatMap((label) => (label.spans ?? []).map((span) => ({ ...span, side: content.outputs.length > 1 ? span.side : "A", note: `${label.rater}${span.note ? `: ${span.note}` : ""}` })));
  return (
    <div className="labelling">
      <div className="labelling-left"><p className="muted small-text">{place + 1} of {items.length} · case {visible(dissent.item.hidden?.case_id ?? dissent.item.id)}{(dissent.item.hidden?.origins ?? []).map((origin, index) => <span key={index}> · {visible(origin.target || origin.model || "")}</span>)}</p><Shown item={shown} work={{ spans }} /></div>
      <aside className="labelling-right card">
        {(dissent.flags ?? []).map((flag, index) => <p key={index} className="notice"><b>Flagged by {visible(flag.rater)}:</b> {visible(flag.note ?? "")}</p>)}
        {queue.rubrics.map((rubric) => <Verdicts key={rubric.name} rubric={rubric} labels={dissent.labels} differing={dissent.differing.includes(rubric.name)} />)}
        <div className="rationales">{dissent.labels.filter((label) => label.rationale).map((label) => <blockquote key={label.id}><b>{visible(label.rater)}</b> <Characters text={label.rationale ?? ""} /></blockquote>)}</div>
        {dissent.may === false ? <p className="notice">You labelled this item yourself: somebody else decides.</p> : null}
        {open.map((rubric, index) => (
          <fieldset key={rubric.name} className={`question ${index === focus ? "focused" : ""}`} disabled={busy} onClick={() => setFocus(index)}>
            <legend>{visible(rubric.criterion)}</legend>
            <div className="levels">{choicesFor(queue, rubric).map((choice, number) => <label key={choice.value} className={answers[rubric.name] === choice.value ? "chosen" : ""}><input type="radio" name={`decide-${rubric.name}`} checked={answers[rubric.name] === choice.value} onChange={() => choose(rubric, number)} /><kbd>{number + 1}</kbd><span><b>{visible(choice.text)}</b><span className="anchor">{visible(rubric.levels.find((level) => level.name === choice.value)?.anchor ?? "")}</span></span></label>)}</div>
          </fieldset>
        ))}
        <label className="field"><span>Why</span><textarea ref={box} rows={3} value={reason} onChange={(event) => setReason(event.target.value)} onKeyDown={(event) => { if (event.key === "Escape") event.currentTarget.blur(); }} /></label>
        {error && <div className="problem" role="alert"><b>{error.message}</b>{error.hint && <p>{error.hint}</p>}{error.fields.map((field) => <p key={field.field}>{field.message}</p>)}</div>}
        <div className="actions"><button type="button" onClick={() => move(place - 1)} disabled={!place}>Before <kbd>[</kbd></button><button type="button" onClick={() => move(place + 1)} disabled={place >= items.length - 1}>Next <kbd>]</kbd></button><button type="button" className="primary" onClick={() => void decide()} disabled={busy}>Decide <kbd>Ctrl ⏎</kbd></button></div>
      </aside>
    </div>
  );
}

function Verdicts({ rubric, labels, differing }: { rubric: Rubric; labels: Label[]; differing: boolean }) {
  return (
    <div className={`verdicts ${differing ? "differ" : ""}`}>
      <h4>{visible(rubric.name)} {differing ? <span className="pill warn">they differ</span> : <span className="pill pass">agreed</span>}</h4>
      <ul>{labels.map((label) => <li key={label.id}><span className="muted">{visible(label.rater)}</span> <b>{visible(label.answers[rubric.name] ?? "–")}</b></li>)}</ul>
    </div>
  );
}
