/** One queue: how far it is, what is asked, its items, and what can be done with the labels. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { address, api } from "../../api/client";
import { useGet, usePaged } from "../../api/queries";
import type { Estimate, Queue, Rubric } from "../../api/types";
import { Link } from "../../app/router";
import { useProject } from "../../app/session";
import { DataTable, type Column } from "../../components/DataTable";
import { Figures, IntervalBar } from "../../components/Estimate";
import { Dialog } from "../../components/Dialog";
import { Field, FormError, useSubmit } from "../../components/Form";
import { Menu } from "../../components/Menu";
import { Page, Section } from "../../components/Page";
import { Empty, Loaded } from "../../components/Status";
import { Line } from "../../components/Text";
import { State } from "../../components/Verdict";
import { count, number, plural, relative } from "../../lib/format";
import { visible } from "../../lib/hidden";
import { Progress } from "./Queues";

export function useQueue(id: string) {
  const project = useProject();
  return useGet<Queue>(project.api(`/review/queues/${encodeURIComponent(id)}`));
}

export function QueuePage({ id }: { id: string }) {
  const project = useProject();
  const client = useQueryClient();
  const query = useQueue(id);
  const queue = query.data;
  const to = (rest: string) => project.page(`/review/${encodeURIComponent(id)}${rest}`);
  const set = (state: string) => api.patch(project.api(`/review/queues/${encodeURIComponent(id)}`), { state }).then(() => client.invalidateQueries());
  return (
    <Page title={queue ? visible(queue.name) : "Queue"} name={queue?.name ?? "Queue"} crumbs={[{ text: "Review", to: project.page("/review") }]}
      lead={queue && <>{queue.kind === "pairwise" ? "Which of two answers is better" : "One answer at a time"}, {plural(queue.raters_per_item, "reviewer")} for each item. Made by {visible(queue.created_by ?? "–")} {relative(queue.created_at)}. <State state={queue.state} /></>}
      actions={queue && <>
        {queue.state === "open" && project.can("reviewer") && <Link className="button" to={to("/label")}>Label</Link>}
        <Link className="button" to={to("/agreement")}>Agreement</Link>
        {project.can("lead") && <Link className="button" to={to("/adjudication")}>Adjudicate {queue.counts.adjudication > 0 && <span className="pill warn">{queue.counts.adjudication}</span>}</Link>}
        {project.can("lead") && <Labels id={id} />}
        {project.can("lead") && <button type="button" onClick={() => void set(queue.state === "open" ? "closed" : "open")}>{queue.state === "open" ? "Close" : "Open again"}</button>}
      </>}>
      <Loaded query={query}>
        {(data) => (
          <>
            <div className="tiles counts">
              <div className="card tile"><h2>Progress</h2><Progress queue={data} /></div>
              <div className="card tile"><h2>Labels</h2><p className="figure">{count(data.counts.labels)}</p></div>
              <div className="card tile"><h2>To adjudicate</h2><p className="figure">{count(data.counts.adjudication)}</p></div>
              <div className="card tile"><h2>Mine</h2><p className="figure">{count(data.mine?.done ?? 0)}</p>{!!data.mine?.skipped && <p className="muted">{data.mine.skipped} skipped</p>}</div>
            </div>
            <Section title="What is asked">{data.rubrics.map((rubric) => <RubricCard key={rubric.name} rubric={rubric} />)}</Section>
            {project.can("lead") && <Corrected id={id} />}
            {project.can("lead") && <Items id={id} />}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function RubricCard({ rubric }: { rubric: Rubric }) {
  return (
    <div className="card rubric-card">
      <b>{visible(rubric.criterion)}</b> <span className="muted small-text">{visible(rubric.name)}, version {visible(rubric.version ?? "1")}</span>
      <dl className="fields">{rubric.levels.map((level) => <div key={level.name}><dt>{visible(level.name)}</dt><dd>{visible(level.anchor ?? "")}</dd></div>)}</dl>
      {rubric.notes && <p className="muted">{visible(rubric.notes)}</p>}
    </div>
  );
}

interface ItemRow {
  id: string;
  number: number;
  case_id: string;
  input: string;
  state: string;
  calibration: boolean;
  wanted: number;
  labels: number;
  leased_to?: string[];
  flags?: { note?: string; rater: string }[];
  skips?: number;
}

interface QueueEstimate {
  rubric: string;
  estimate: Estimate | null;
  judged: number | null;
  passing: Estimate | null;
  strata: { name: string; cases: number; labelled: number; mean: number | null }[];
  note?: string;
}

/** What the labels so far say of everything they were drawn from. */
function Corrected({ id }: { id: string }) {
  const project = useProject();
  const query = useGet<QueueEstimate[]>(project.api(`/review/queues/${encodeURIComponent(id)}/estimate`));
  const shown = (query.data ?? []).filter((each) => each.estimate || each.passing);
  if (!shown.length) return null;
  return (
    <Section title="What the labels say of the whole" note="weighted by the parts they were drawn from">
      <table className="grid">
        <thead><tr><th>Rubric</th><th className="wide">Pass by people's labels</th><th className="n">Mean level</th><th className="n">The scorer said</th></tr></thead>
        <tbody>{shown.map((each) => {
          const figure = each.passing ?? each.estimate;
          return figure && <tr key={each.rubric}><td className="key1">{visible(each.rubric)}{each.note && <span className="muted small-text clamp2">{visible(each.note)}</span>}</td><td className="wide"><span className="bar-and-figures"><IntervalBar figure={figure} axis={{ low: 0, high: 1 }} /><Figures figure={figure} /></span></td><td className="n" data-l="mean">{each.estimate ? <Figures figure={each.estimate} /> : "–"}</td><td className="n" data-l="scorer">{number(each.judged)}</td></tr>;
        })}</tbody>
      </table>
    </Section>
  );
}

function Items({ id }: { id: string }) {
  const project = useProject();
  const page = usePaged<ItemRow>(project.api(`/review/queues/${encodeURIComponent(id)}/items`));
  const columns: Column<ItemRow>[] = [
    { id: "case", title: "Item", main: true, cell: (row) => <>{visible(row.case_id || row.id)}{row.calibration && <span className="pill">known</span>}</> },
    { id: "input", title: "Input", wide: true, cell: (row) => <span className="clamp2"><Line value={row.input} /></span> },
    { id: "state", title: "State", cell: (row) => <State state={row.state} /> },
    { id: "labels", title: "Labels", numeric: true, cell: (row) => `${row.labels} of ${row.wanted}` },
    { id: "with", title: "With", cell: (row) => (row.leased_to ?? []).map(visible).join(", ") },
    { id: "flags", title: "Flags", cell: (row) => (row.flags ?? []).map((flag, place) => <span key={place} className="chip warn-text" title={visible(flag.rater)}>{visible(flag.note || "flagged")}</span>) },
  ];
  return <Section title="Items"><DataTable label="Items" columns={columns} page={page} rowKey={(row) => row.id} rowHeight={56} empty={<Empty title="No item" />} /></Section>;
}

/** The labels out, in, and into a golden set. */
function Labels({ id }: { id: string }) {
  const project = useProject();
  const client = useQueryClient();
  const [dialog, setDialog] = useState<"" | "gold" | "said">("");
  const [said, setSaid] = useState("");
  const path = project.api(`/review/queues/${encodeURIComponent(id)}`);
  const gold = useSubmit(async (values) => {
    const made = await api.post<{ version: number | null; cases: number; left_out: number; notes?: string[] }>(`${path}/gold`, { dataset: values["dataset"] });
    await client.invalidateQueries();
    setSaid(made.version === null ? `Nothing new: ${made.left_out} items are not settled. ${(made.notes ?? []).join(" ")}` : `${made.cases} cases are in version ${made.version} of ${values["dataset"]}, a draft; ${made.left_out} items are not settled.`);
  });
  const bring = (file: File | undefined) => {
    if (!file) return;
    const ending = file.name.split(".").pop()?.toLowerCase() ?? "csv";
    const format = ending === "json" ? "labelstudio" : ending;
    api.upload<{ added: number; known: number; problems: Record<string, string>[] }>(`${path}/import`, file, { format }).then(async (report) => {
      setSaid(`${report.added} labels are new, ${report.known} were known, ${report.problems.length} rows were left out${report.problems[0] ? `: ${Object.values(report.problems[0]).join(" ")}` : ""}.`);
      setDialog("said");
      await client.invalidateQueries();
    }, (error: unknown) => {
      setSaid(error instanceof Error ? error.message : String(error));
      setDialog("said");
    });
  };
  return (
    <>
      {dialog === "said" && <Dialog title="Labels from a file" onClose={() => setDialog("")}><p>{visible(said)}</p></Dialog>}
      <Menu label="Labels">
        {([["csv", "CSV"], ["xlsx", "Excel"], ["jsonl", "JSON lines"], ["labelstudio", "Label Studio"]] as const).map(([format, text]) => <a key={format} className="item" download href={address(`${path}/export`, { format })}>Export as {text}</a>)}
        <hr />
        <label className="item">Import labels …<input type="file" className="sr" accept=".csv,.xlsx,.jsonl,.json" onChange={(event) => bring(event.target.files?.[0])} /></label>
        <button type="button" className="item" onClick={() => setDialog("gold")}>Make them gold …</button>
      </Menu>
      {dialog === "gold" && (
        <Dialog title="Settled labels into a golden set" onClose={() => setDialog("")}>
          {said ? <p className="notice good">{said}</p> : (
            <form onSubmit={gold.onSubmit}>
              <Field label="Golden set" hint="a draft version of it gets the labels; somebody approves it" error={gold.fieldError("dataset")}><input name="dataset" required autoFocus /></Field>
              <FormError error={gold.error} />
              <div className="actions"><button type="submit" className="primary" disabled={gold.busy}>Write the draft</button></div>
            </form>
          )}
        </Dialog>
      )}
    </>
  );
}
