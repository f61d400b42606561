/** The registry: every suite with owner, tier, runbook and thresholds, and what is missing. */

import { useMemo } from "react";
import { useGet } from "../api/queries";
import type { Listing, SuiteEntry } from "../api/types";
import { Link, useQueryState } from "../app/router";
import { useProject } from "../app/session";
import { ExportMenu } from "../components/DataTable";
import { Filters } from "../components/Filters";
import { Page } from "../components/Page";
import { Empty, Loaded } from "../components/Status";
import { VerdictBadge } from "../components/Verdict";
import { count, relative } from "../lib/format";
import { visible } from "../lib/hidden";

export function Suites() {
  const project = useProject();
  const [read] = useQueryState();
  const query = useGet<Listing<SuiteEntry>>(project.api("/suites"));
  const typed = read("q").toLowerCase();
  const shown = useMemo(() => (query.data?.items ?? []).filter((suite) =>
    `${suite.name} ${suite.owner ?? ""} ${suite.description ?? ""}`.toLowerCase().includes(typed) && (!read("complete") || String(!!suite.complete) === read("complete")) && (!read("tier") || String(suite.tier ?? "none") === read("tier"))), [query.data, typed, read]);
  const complete = (query.data?.items ?? []).filter((suite) => suite.complete).length;
  return (
    <Page title="Suites" name="Suites" lead={query.data && query.data.items.length > 0 && `${complete} of ${query.data.items.length} have owner, tier, runbook and thresholds.`} actions={<ExportMenu table="suites" />}>
      <Filters search="Search suites  ( / )" choices={[{ name: "tier", label: "Tier", options: ["1", "2", "3", { value: "none", text: "no tier" }] }, { name: "complete", label: "Complete", options: [{ value: "true", text: "complete" }, { value: "false", text: "incomplete" }] }]} />
      <Loaded query={query}>
        {(data) => !data.items.length ? <Empty title="No suite has run here" command="evalwright init && evalwright run suite.yaml" /> : (
          <table className="grid">
            <thead><tr><th>Suite</th><th>Gate</th><th>Tier</th><th>Owner</th><th>Runbook</th><th>Missing</th><th className="n">Runs</th><th className="n">Last run</th></tr></thead>
            <tbody>
              {shown.map((suite) => (
                <tr key={suite.name}>
                  <td className="key1"><Link to={`${project.page("/runs")}?suite=${encodeURIComponent(suite.name)}`}>{visible(suite.name)}</Link>{suite.description && <span className="muted small-text clamp1">{visible(suite.description)}</span>}{suite.file && <span className="muted small-text mono clamp1">{visible(suite.file)}</span>}</td>
                  <td><VerdictBadge verdict={suite.verdict} /></td>
                  <td data-l="tier">{suite.tier ?? <span className="muted">–</span>}</td><td data-l="owner">{suite.owner ? visible(suite.owner) : <span className="muted">–</span>}</td>
                  <td data-l="runbook">{suite.runbook ? <span className="mono small-text">{visible(suite.runbook)}</span> : <span className="muted">–</span>}</td>
                  <td>{suite.complete ? <span className="pill pass">complete</span> : (suite.missing ?? []).map((each) => <span key={each} className="chip">{visible(each)}</span>)}</td>
                  <td className="n" data-l="runs">{count(suite.runs)}</td>
                  <td className="n">{suite.last_run ? <Link to={project.page(`/runs/${encodeURIComponent(suite.last_run)}`)}>{relative(suite.last_run_at)}</Link> : relative(suite.last_run_at)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
    </Page>
  );
}
