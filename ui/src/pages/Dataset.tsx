/** One golden set: its versions and cases, what changed between two versions, its health. */

import { useGet, usePaged } from "../api/queries";
import { useQueryState } from "../app/router";
import { useProject } from "../app/session";
import { DataTable, ExportMenu, type Column } from "../components/DataTable";
import { Filters, Tabs } from "../components/Filters";
import { Page } from "../components/Page";
import { Empty, Loaded } from "../components/Status";
import { Line } from "../components/Text";
import { Value } from "../components/Value";
import { State } from "../components/Verdict";
import { WordDiff } from "../components/WordDiff";
import type { SetRow, SetVersion } from "./Datasets";
import { count, moment, plural } from "../lib/format";
import { visible } from "../lib/hidden";

interface SetPage {
  summary: SetRow;
  versions: SetVersion[];
  tags: Record<string, number>;
}

interface SetCase {
  id: string;
  input: unknown;
  expected?: unknown;
  tags?: string[];
  metadata?: Record<string, unknown>;
}

const numberOf = (version: SetVersion): string => `v${version.number}`;

export function Dataset({ name }: { name: string }) {
  const project = useProject();
  const [read, write] = useQueryState();
  const query = useGet<SetPage>(project.api(`/datasets/${encodeURIComponent(name)}`));
  const versions = query.data?.versions ?? [];
  const version = read("version") || (versions[0] ? numberOf(versions[0]) : "");
  const tab = read("tab", "cases");
  return (
    <Page title={visible(name)} name={name} crumbs={[{ text: "Datasets", to: project.page("/datasets") }]} actions={<ExportMenu table="datasets" params={{ name, version }} />}>
      <Loaded query={query}>
        {(data) => (
          <>
            <Info data={data} />
            <div className="filters">
              <select aria-label="Version" value={version} onChange={(event) => write({ version: event.target.value })}>{versions.map((each) => <option key={numberOf(each)} value={numberOf(each)}>{numberOf(each)} ({each.state})</option>)}</select>
              <span className="muted">{plural(versions.length, "version")}</span>
            </div>
            <Tabs name="tab" fallback="cases" tabs={[{ id: "cases", title: "Cases" }, { id: "versions", title: "Versions" }, { id: "diff", title: "What changed" }, { id: "health", title: "Health" }]} />
            {tab === "cases" && version && <Cases name={name} version={version} />}
            {tab === "versions" && <Versions versions={versions} />}
            {tab === "diff" && <Diff name={name} versions={versions} />}
            {tab === "health" && <Health name={name} version={version} />}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Info({ data }: { data: SetPage }) {
  const { info, age_days: age, stale } = data.summary;
  const facts: [string, string | number | null | undefined][] = [["owner", info?.owner], ["tier", info?.tier], ["refreshed every", info?.cadence_days ? `${info.cadence_days} days` : null], ["age", typeof age === "number" ? `${Math.round(age)} days` : null], ["classification", info?.classification], ["kept for", info?.retention_days ? `${info.retention_days} days` : null], ["residency", info?.residency]];
  return (
    <>
      {info?.purpose && <p className="lead">{visible(info.purpose)}</p>}
      <p className="chips">{facts.filter(([, value]) => value).map(([name, value]) => <span key={name} className="chip">{name}: <b>{visible(String(value))}</b></span>)}{stale && <span className="pill warn">stale</span>}</p>
    </>
  );
}

function Cases({ name, version }: { name: string; version: string }) {
  const project = useProject();
  const [read, write] = useQueryState();
  const page = usePaged<SetCase>(project.api(`/datasets/${encodeURIComponent(name)}/${encodeURIComponent(version)}/cases`), { q: read("q") });
  const open = page.rows.find((row) => row.id === read("case"));
  const columns: Column<SetCase>[] = [
    { id: "id", title: "Case", main: true, cell: (row) => <button type="button" className="link" onClick={() => write({ case: read("case") === row.id ? null : row.id })}>{visible(row.id)}</button> },
    { id: "input", title: "Input", wide: true, cell: (row) => <span className="clamp2"><Line value={row.input} /></span> },
    { id: "expected", title: "Expected", wide: true, cell: (row) => <span className="clamp2"><Line value={row.expected} /></span> },
    { id: "tags", title: "Tags", cell: (row) => (row.tags ?? []).map((tag) => <span key={tag} className="chip">{visible(tag)}</span>) },
  ];
  return (
    <>
      <Filters search="Search cases  ( / )" />
      {open && <div className="card one-case"><h3>{visible(open.id)}</h3><h4>Input</h4><Value value={open.input} />{open.expected !== undefined && open.expected !== null && <><h4>Expected</h4><Value value={open.expected} /></>}{open.metadata && <><h4>Metadata</h4><Value value={open.metadata} /></>}</div>}
      <DataTable label="Cases" columns={columns} page={page} rowKey={(row) => row.id} rowHeight={58} empty={<Empty title="No case matches" />} />
    </>
  );
}

function Versions({ versions }: { versions: SetVersion[] }) {
  const [, write] = useQueryState();
  return (
    <table className="grid">
      <thead><tr><th>Version</th><th>State</th><th className="n">Cases</th><th>Made</th><th>By</th><th>Why</th></tr></thead>
      <tbody>
        {versions.map((each, place) => {
          const before = versions[place + 1];
          return (
            <tr key={numberOf(each)}>
              <td className="key1"><button type="button" className="link" onClick={() => write({ version: numberOf(each), tab: null })}>{numberOf(each)}</button> {(each.tags ?? []).map((tag) => <span key={tag} className="chip">{visible(tag)}</span>)}</td>
              <td><State state={each.state} /></td><td className="n" data-l="cases">{count(each.cases)}</td><td data-l="made">{moment(each.at)}</td><td data-l="by">{visible(each.by)}</td>
              <td className="wide">{visible(each.message)} <span className="muted small-text">{each.added ? `+${each.added} ` : ""}{each.changed ? `~${each.changed} ` : ""}{each.removed ? `−${each.removed}` : ""}</span> {before && <button type="button" className="link small-text" onClick={() => write({ tab: "diff", from: numberOf(before), to: numberOf(each) })}>what changed</button>}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

interface DiffData {
  added_count: number;
  removed_count: number;
  changed_count: number;
  added: SetCase[];
  removed: SetCase[];
  changed: { id: string; fields: Record<string, [unknown, unknown]> }[];
}

function Diff({ name, versions }: { name: string; versions: SetVersion[] }) {
  const project = useProject();
  const [read, write] = useQueryState();
  const to = read("to") || (versions[0] ? numberOf(versions[0]) : "");
  const from = read("from") || (versions[1] ? numberOf(versions[1]) : "");
  const query = useGet<DiffData>(project.api(`/datasets/${encodeURIComponent(name)}/diff`), { from, to }, { enabled: !!from && !!to && from !== to });
  const choose = (which: "from" | "to", value: string) => <select aria-label={which} value={value} onChange={(event) => write({ [which]: event.target.value })}>{versions.map((each) => <option key={numberOf(each)} value={numberOf(each)}>{numberOf(each)} ({each.state})</option>)}</select>;
  if (versions.length < 2) return <Empty title="Only one version so far" />;
  return (
    <>
      <div className="filters">from {choose("from", from)} to {choose("to", to)}</div>
      {from === to ? <p className="none">Choose two versions.</p> : (
        <Loaded query={query}>
          {(data) => (
            <>
              <p className="chips"><span className="pill pass">{plural(data.added_count, "case")} added</span> <span className="pill fail">{plural(data.removed_count, "case")} removed</span> <span className="pill">{plural(data.changed_count, "case")} changed</span></p>
              {data.changed.slice(0, 100).map((each) => <ChangedCase key={each.id} change={each} />)}
              {([["Added", data.added], ["Removed", data.removed]] as const).map(([title, list]) => list.length > 0 && <details key={title} className="card fold" open={list.length <= 10}><summary>{title}: {count(list.length)}</summary><ul>{list.slice(0, 200).map((each) => <li key={each.id}><b>{visible(each.id)}</b> <span className="muted clamp1"><Line value={each.input} /></span></li>)}</ul></details>)}
            </>
          )}
        </Loaded>
      )}
    </>
  );
}

function ChangedCase({ change }: { change: DiffData["changed"][number] }) {
  return (
    <div className="card changed-case">
      <b>{visible(change.id)}</b>
      <dl className="fields">{Object.entries(change.fields).map(([field, [old, now]]) => <div key={field}><dt>{visible(field)}</dt><dd><WordDiff before={old} after={now} /></dd></div>)}</dl>
    </div>
  );
}

interface HealthData {
  cases: number;
  findings: { kind: string; count: number; message: string; action: string; cases?: string[] }[];
  lengths?: Record<string, number>;
  languages?: Record<string, number>;
  strata?: Record<string, number>;
}

function Health({ name, version }: { name: string; version: string }) {
  const project = useProject();
  const query = useGet<HealthData>(project.api(`/datasets/${encodeURIComponent(name)}/health`), { version });
  const share = (group: Record<string, number> | undefined) => Object.entries(group ?? {}).map(([label, value]) => <span key={label} className="chip">{visible(label)}: <b>{count(value)}</b></span>);
  return (
    <Loaded query={query}>
      {(data) => (
        <>
          {!data.findings.length && <p className="notice good">Nothing to look at in {plural(data.cases, "case")}.</p>}
          {data.findings.map((finding) => (
            <div key={finding.kind + finding.message} className="card changed-case">
              <b>{visible(finding.message)}</b> <span className="pill warn">{finding.kind.replaceAll("_", " ")}, {count(finding.count)}</span>
              <p className="muted">{visible(finding.action)}</p>
              {!!finding.cases?.length && <details className="fold"><summary>Which</summary><p className="small-text mono">{finding.cases.map(visible).join(", ")}</p></details>}
            </div>
          ))}
          <div className="card"><h4>Characters of the inputs</h4><p className="chips">{share(data.lengths)}</p><h4>Languages</h4><p className="chips">{share(data.languages)}</p></div>
        </>
      )}
    </Loaded>
  );
}
