/** The audit log: newest first, every row chained to the one before. */

import { useState } from "react";
import { address, api } from "../../api/client";
import { usePaged } from "../../api/queries";
import { useQueryState } from "../../app/router";
import { useProject, useSession } from "../../app/session";
import { DataTable, type Column } from "../../components/DataTable";
import { Empty, Problem } from "../../components/Status";
import { count, moment } from "../../lib/format";
import { asText, visible } from "../../lib/hidden";

interface Row {
  seq: number;
  at: number;
  actor: string;
  action: string;
  project: string;
  subject: string;
  detail: Record<string, unknown>;
  hash: string;
}

interface Report {
  rows: number;
  checkpoints: number;
  signed_rows: number;
  problems?: unknown[];
  whole: boolean;
}

const COLUMNS: Column<Row>[] = [
  { id: "at", title: "When", main: true, cell: (row) => <time>{moment(row.at)}</time> },
  { id: "actor", title: "Who", cell: (row) => visible(row.actor) },
  { id: "action", title: "What", cell: (row) => <code>{visible(row.action)}</code> },
  { id: "subject", title: "Of", cell: (row) => visible(row.subject) },
  { id: "project", title: "Project", cell: (row) => visible(row.project) },
  { id: "detail", title: "Detail", wide: true, cell: (row) => <span className="small-text muted clamp2">{visible(Object.entries(row.detail).map(([name, value]) => `${name} ${asText(value)}`).join(", "))}</span> },
  { id: "hash", title: "Hash", cell: (row) => <code className="muted" title={row.hash}>{row.hash.slice(0, 10)}</code> },
];

export function Audit() {
  const project = useProject();
  const session = useSession();
  const [read, write] = useQueryState();
  const [report, setReport] = useState<Report | null>(null);
  const [error, setError] = useState<unknown>(null);
  const everywhere = session.user.admin && read("scope") === "all";
  const page = usePaged<Row>(everywhere ? "/audit" : project.api("/audit"), { actor: read("actor"), action: read("action") });
  return (
    <>
      <div className="filters">
        <input type="search" aria-label="Who" placeholder="Who" value={read("actor")} onChange={(event) => write({ actor: event.target.value })} />
        <input type="search" aria-label="What" placeholder="What, e.g. label.submit or waiver." value={read("action")} onChange={(event) => write({ action: event.target.value })} />
        {session.user.admin && (
          <>
            <select aria-label="Scope" value={read("scope")} onChange={(event) => write({ scope: event.target.value })}><option value="">this project</option><option value="all">the whole server</option></select>
            <button type="button" onClick={() => void api.get<Report>("/audit/verify").then(setReport, setError)}>Verify the log</button>
            <a className="button" download href={address("/audit/export", { format: "jsonl" })}>Export</a>
          </>
        )}
      </div>
      {error ? <Problem error={error} /> : null}
      {report && <p className={`notice ${report.whole ? "good" : ""}`}>{report.whole ? `The log is whole: ${count(report.rows)} rows chained, ${count(report.signed_rows)} of them under ${count(report.checkpoints)} signed checkpoints.` : `The log is not whole: ${(report.problems ?? []).map(asText).join("; ")}`}</p>}
      <DataTable label="Audit" columns={COLUMNS} page={page} rowKey={(row) => String(row.seq)} empty={<Empty title="Nothing was done yet" />} />
    </>
  );
}
