/** Golden sets: what there is, how fresh, in which state. */

import { useGet } from "../api/queries";
import type { Listing } from "../api/types";
import { Link } from "../app/router";
import { useProject } from "../app/session";
import { Tabs } from "../components/Filters";
import { Page } from "../components/Page";
import { Empty, Loaded } from "../components/Status";
import { State } from "../components/Verdict";
import { count } from "../lib/format";
import { visible } from "../lib/hidden";
import { useQueryState } from "../app/router";
import { Proposals } from "./Proposals";

export interface SetVersion {
  number: number;
  digest: string;
  cases: number;
  at: number;
  by: string;
  message: string;
  added: number;
  changed: number;
  removed: number;
  state: string;
  tags: string[];
}

export interface SetInfo {
  owner?: string | null;
  purpose?: string;
  tier?: number | null;
  cadence_days?: number | null;
  classification?: string;
  retention_days?: number | null;
  residency?: string;
}

export interface SetRow {
  name: string;
  info?: SetInfo | null;
  latest?: SetVersion | null;
  versions?: number;
  approved?: number | null;
  age_days?: number | null;
  stale?: boolean | null;
  problem?: string;
}

export function Datasets() {
  const project = useProject();
  const [read] = useQueryState();
  const query = useGet<Listing<SetRow>>(project.api("/datasets"));
  const tab = read("tab", "sets");
  return (
    <Page title="Datasets" name="Datasets">
      <Tabs name="tab" fallback="sets" tabs={[{ id: "sets", title: "Golden sets" }, { id: "proposals", title: "Proposals" }]} />
      {tab === "proposals" ? <Proposals /> : (
        <Loaded query={query}>
          {(data) => !data.items.length ? <Empty title="No golden set" command="evalwright dataset create support --from cases.jsonl --owner team">A golden set is a dataset with versions, an owner and a cadence. Suites name it as <code>golden: NAME</code>.</Empty> : (
            <table className="grid">
              <thead><tr><th>Set</th><th>State</th><th>Tier</th><th>Owner</th><th className="n">Version</th><th className="n">Cases</th><th className="n">Age</th></tr></thead>
              <tbody>
                {data.items.map((set) => (
                  <tr key={set.name}>
                    <td className="key1"><Link to={project.page(`/datasets/${encodeURIComponent(set.name)}`)}>{visible(set.name)}</Link>{set.info?.purpose && <span className="muted small-text clamp1">{visible(set.info.purpose)}</span>}{set.problem && <span className="error-text small-text">{visible(set.problem)}</span>}</td>
                    <td><State state={set.latest?.state} /> {set.stale && <span className="pill warn">stale</span>}</td><td data-l="tier">{set.info?.tier ?? "–"}</td><td data-l="owner">{set.info?.owner ? visible(set.info.owner) : "–"}</td>
                    <td className="n" data-l="version">{set.latest ? `v${set.latest.number}` : "–"}{set.approved ? <span className="muted"> approved v{set.approved}</span> : null}</td><td className="n" data-l="cases">{count(set.latest?.cases)}</td>
                    <td className="n" data-l="age">{typeof set.age_days === "number" ? `${Math.round(set.age_days)} d${set.info?.cadence_days ? ` of ${set.info.cadence_days}` : ""}` : "–"}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Loaded>
      )}
    </Page>
  );
}
