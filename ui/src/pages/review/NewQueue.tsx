/** Make a queue: from a run, two runs, a golden set, a disagreement; by a rubric; for so many reviewers. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { useGet } from "../../api/queries";
import type { Listing, Queue, RunDetail, RunEntry } from "../../api/types";
import { navigate } from "../../app/router";
import { useProject } from "../../app/session";
import { Dialog } from "../../components/Dialog";
import { Field, FormError, useSubmit, type Values } from "../../components/Form";
import { visible } from "../../lib/hidden";
import { RUBRICS } from "./rubrics";

const SOURCES = { run: "Answers of a run", pair: "Two runs, side by side", disagreement: "Where two scorers of a run disagree", dataset: "Expectations of a golden set" };

type SourceKind = keyof typeof SOURCES;

function sourceOf(kind: SourceKind, values: Values): Record<string, unknown> {
  const range = { ...(values["status"] ? { status: values["status"] } : {}), ...(values["where"] ? { where: values["where"] } : {}) };
  if (kind === "pair") return { baseline: values["baseline"], candidate: values["candidate"], ...(values["flips"] ? { flips: true } : {}) };
  if (kind === "dataset") return { dataset: values["dataset"] };
  if (kind === "disagreement") return { run: values["run"], disagreements: [values["first"], values["second"]].filter(Boolean) };
  return { run: values["run"], ...range, ...(values["metric"] ? { metric: values["metric"] } : {}) };
}

/** The rubrics of the form: a ready one, or the text of a rubric file. */
function rubricsOf(values: Values): Record<string, unknown> {
  if (values["rubric"] === "own") return { rubric_files: [values["own"] ?? ""] };
  return { rubrics: [RUBRICS[values["rubric"] ?? "correct"] ?? RUBRICS["correct"]] };
}

const OWN = `name: correct
criterion: Is the answer right and complete?
scale: ordinal
pass_from: "yes"
levels:
  - { name: "no", value: 0, anchor: Wrong, or leaves out what was asked. }
  - { name: partly, value: 0.5, anchor: Something needed is missing. }
  - { name: "yes", value: 1, anchor: Right and complete. }
`;

export function NewQueue({ run, onClose }: { run: string; onClose: () => void }) {
  const project = useProject();
  const client = useQueryClient();
  const [kind, setKind] = useState<SourceKind>("run");
  const [rubric, setRubric] = useState("correct");
  const [chosen, setChosen] = useState(run);
  const runs = useGet<Listing<RunEntry>>(project.api("/runs"), { limit: 100 });
  const sets = useGet<Listing<{ name: string; version?: string | number | null }>>(project.api("/datasets"), {}, { enabled: kind === "dataset" });
  const detail = useGet<RunDetail>(project.api(`/runs/${encodeURIComponent(chosen)}`), {}, { enabled: !!chosen && kind !== "dataset" && kind !== "pair" });
  const metrics = detail.data?.manifest.scorers?.map((scorer) => scorer.metric) ?? [];
  const submit = useSubmit(async (values) => {
    const size = Number(values["size"]);
    const made = await api.post<{ queue: Queue }>(project.api("/review/queues"), {
      name: values["name"], kind: kind === "pair" ? "pairwise" : "pointwise", ...rubricsOf(values), source: sourceOf(kind, values),
      sample: { method: values["method"], ...(size ? { size } : {}) }, raters_per_item: Number(values["raters"]),
      ...(values["reasons"] ? { rationale: { always: true } } : {}),
    });
    await client.invalidateQueries({ queryKey: [project.api("/review/queues")] });
    navigate(project.page(`/review/${encodeURIComponent(made.queue.id)}`));
  });
  const runSelect = (name: string, controlled = false) => (
    <select name={name} required {...(controlled ? { value: chosen, onChange: (event) => setChosen(event.target.value) } : {})}>
      <option value="">choose …</option>{(runs.data?.items ?? []).map((each) => <option key={each.run_id} value={each.run_id}>{visible(each.run_id)}</option>)}
    </select>
  );
  const metricSelect = (name: string, none: string) => <select name={name}><option value="">{none}</option>{metrics.map((metric) => <option key={metric}>{metric}</option>)}</select>;
  return (
    <Dialog title="New review queue" onClose={onClose} wide>
      <form onSubmit={submit.onSubmit} className="two-columns">
        <Field label="Name" error={submit.fieldError("name")}><input name="name" required maxLength={120} autoFocus /></Field>
        <Field label="What to label"><select value={kind} onChange={(event) => setKind(event.target.value as SourceKind)}>{Object.entries(SOURCES).map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select></Field>
        {(kind === "run" || kind === "disagreement") && <Field label="Run" error={submit.fieldError("run")}>{runSelect("run", true)}</Field>}
        {kind === "run" && <Field label="Only cases that"><select name="status"><option value="">passed or failed</option><option value="failed">failed</option><option value="passed">passed</option></select></Field>}
        {kind === "run" && <Field label="Metric whose figure the labels correct" hint="needed to choose the cases whose labels move it most">{metricSelect("metric", "none")}</Field>}
        {kind === "disagreement" && <><Field label="One scorer">{metricSelect("first", "choose …")}</Field><Field label="The other">{metricSelect("second", "any other")}</Field></>}
        {kind === "pair" && <><Field label="One run">{runSelect("baseline")}</Field><Field label="The other run">{runSelect("candidate")}</Field><label className="check"><input type="checkbox" name="flips" /> only cases whose verdict changed</label></>}
        {kind === "dataset" && <Field label="Golden set, name@version" error={submit.fieldError("dataset")}><input name="dataset" list="set-names" required /><datalist id="set-names">{(sets.data?.items ?? []).map((set) => <option key={set.name} value={`${set.name}@${set.version ?? 1}`} />)}</datalist></Field>}
        <Field label="Rubric"><select name="rubric" value={rubric} onChange={(event) => setRubric(event.target.value)}>{Object.entries(RUBRICS).map(([name, each]) => <option key={name} value={name}>{each.criterion}</option>)}<option value="own">a rubric of our own …</option></select></Field>
        <Field label="Which of them"><select name="method"><option value="random">a random sample</option><option value="active">those whose labels narrow the figure most</option><option value="all">all, in order</option></select></Field>
        <Field label="How many at most" hint="empty for all"><input name="size" type="number" min={1} defaultValue={50} /></Field>
        <Field label="Reviewers for each item" error={submit.fieldError("raters_per_item")}><input name="raters" type="number" min={1} max={20} defaultValue={2} required /></Field>
        <label className="check"><input type="checkbox" name="reasons" /> every label needs a reason</label>
        {rubric === "own" && <div className="span"><Field label="Rubric file (YAML)" hint="the same file a judge reads; levels worst first" error={submit.fieldError("rubric_files")}><textarea name="own" rows={9} className="mono" required defaultValue={OWN} /></Field></div>}
        <div className="span"><FormError error={submit.error} /></div>
        <div className="actions span"><button type="submit" className="primary" disabled={submit.busy}>Make the queue</button></div>
      </form>
    </Dialog>
  );
}
