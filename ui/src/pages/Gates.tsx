/** Gates and waivers: the latest decision of every suite with its rules, and the exceptions: asked for, agreed, ended. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import { useGet } from "../api/queries";
import type { Decision, Listing, Waiver } from "../api/types";
import { Link, useQueryState } from "../app/router";
import { useProject, useSession } from "../app/session";
import { ExportMenu } from "../components/DataTable";
import { Tabs } from "../components/Filters";
import { Page } from "../components/Page";
import { RuleList } from "../components/Rules";
import { Empty, Loaded, Problem } from "../components/Status";
import { State, VerdictBadge } from "../components/Verdict";
import { moment, relative } from "../lib/format";
import { visible } from "../lib/hidden";

interface GateRow {
  suite: string;
  run_id: string | null;
  target?: string;
  decided_at?: number | null;
  policy?: string;
  decision: Decision | null;
  rules?: string[];
  waivers?: Waiver[];
  problem?: string;
}

export function Gates() {
  const project = useProject();
  const [read] = useQueryState();
  const tab = read("tab", "gates");
  const waivers = useGet<Listing<Waiver>>(project.api("/waivers"));
  const waiting = (waivers.data?.items ?? []).filter((each) => each.status === "requested").length;
  return (
    <Page title="Gates and waivers" name="Gates" actions={<ExportMenu table="waivers" />}>
      <Tabs name="tab" fallback="gates" tabs={[{ id: "gates", title: "Gates" }, { id: "waivers", title: <>Waivers {waiting > 0 && <span className="pill warn">{waiting} to decide</span>}</> }]} />
      {tab === "gates" ? <Decisions /> : <Loaded query={waivers}>{(data) => <Waivers waivers={data.items} />}</Loaded>}
    </Page>
  );
}

function Decisions() {
  const project = useProject();
  const [read, write] = useQueryState();
  const query = useGet<Listing<GateRow>>(project.api("/gates"));
  const suite = read("suite");
  return (
    <Loaded query={query}>
      {(data) => {
        const order = ["fail", "inconclusive", "pass"];
        const place = (row: GateRow) => (row.decision ? order.indexOf(row.decision.verdict) : order.length);
        const shown = data.items.filter((row) => !suite || row.suite === suite).sort((a, b) => place(a) - place(b));
        if (!data.items.length) return <Empty title="No gate has decided yet" command="evalwright run suite.yaml">Add <code>gate:</code> rules to a suite, and every run of it ends in pass, fail or inconclusive.</Empty>;
        return (
          <>
            {suite && <div className="chips"><button type="button" className="chip" onClick={() => write({ suite: null })}>suite: <b>{visible(suite)}</b> ✕</button></div>}
            {shown.map((row) => (
              <article key={`${row.suite}/${row.run_id}`} className={`card verdict-card gate-row ${row.decision?.verdict ?? "none"}`}>
                <header><h2>{visible(row.suite)} <VerdictBadge verdict={row.decision?.verdict} /></h2><span className="muted small-text">{row.run_id && <Link to={project.page(`/runs/${encodeURIComponent(row.run_id)}`)}>{visible(row.run_id)}</Link>} {row.target ? `· ${visible(row.target)}` : ""} {row.decided_at ? `· ${relative(row.decided_at)}` : ""}{row.policy ? ` · rules of ${visible(row.policy)}` : ""}</span></header>
                {row.decision?.reason && <p className="sentence">{visible(row.decision.reason)}</p>}
                {row.problem && <p className="muted">{visible(row.problem)}</p>}
                {row.run_id && <RuleList results={row.decision?.results ?? []} run={row.run_id} names={row.rules ?? []} />}
                {(row.waivers ?? []).map((waiver) => <p key={waiver.id} className="notice small-text"><b>Waiver {waiver.status}:</b> {visible(waiver.rule)}. {visible(waiver.reason)} {waiver.status === "requested" ? `Asked by ${visible(waiver.requested_by ?? "")}` : `Ends ${relative(waiver.expires_at)}`}</p>)}
              </article>
            ))}
          </>
        );
      }}
    </Loaded>
  );
}

function Waivers({ waivers }: { waivers: Waiver[] }) {
  const project = useProject();
  if (!waivers.length) return <Empty title="No waiver">When a release must go ahead although a rule fails, ask for a waiver at the rule. It needs a reason, an end and somebody else's agreement.</Empty>;
  return (
    <table className="grid">
      <thead><tr><th>Rule</th><th>State</th><th>Why</th><th>Asked by</th><th>Agreed by</th><th className="n">Ends</th><th /></tr></thead>
      <tbody>
        {waivers.map((waiver) => (
          <tr key={waiver.id}>
            <td className="key1">{visible(waiver.rule)}<span className="muted small-text clamp1">{waiver.run_id ? <Link to={project.page(`/runs/${encodeURIComponent(waiver.run_id)}`)}>{visible(waiver.run_id)}</Link> : visible(waiver.suite ?? "")}</span></td>
            <td><State state={waiver.status} /></td><td className="wide">{visible(waiver.reason)}{waiver.ticket ? <span className="muted"> ({visible(waiver.ticket)})</span> : null}</td>
            <td data-l="asked by">{visible(waiver.requested_by ?? "–")}</td><td data-l="agreed by">{visible(waiver.approved_by ?? "–")}</td>
            <td className="n" data-l="ends"><span title={moment(waiver.expires_at)}>{relative(waiver.expires_at)}</span></td><td className="n"><WaiverActions waiver={waiver} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function WaiverActions({ waiver }: { waiver: Waiver }) {
  const project = useProject();
  const session = useSession();
  const client = useQueryClient();
  const [error, setError] = useState<unknown>(null);
  const act = (what: string) => api.post(project.api(`/waivers/${encodeURIComponent(waiver.id)}/${what}`)).then(() => client.invalidateQueries(), setError);
  const waiting = waiver.status === "requested";
  const ended = waiver.status === "expired" || waiver.status === "revoked";
  return (
    <span className="actions">
      {error ? <Problem error={error} /> : null}
      {waiting && project.can("lead") && <button type="button" className="small" disabled={waiver.requested_by === session.user.username} title={waiver.requested_by === session.user.username ? "somebody else must agree" : ""} onClick={() => void act("approve")}>Approve</button>}
      {!ended && project.can("lead") && <button type="button" className="small danger" onClick={() => void act("revoke")}>Revoke</button>}
    </span>
  );
}
