/** Changes of golden sets, rubrics, scorers and gates that wait for somebody else's agreement. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import { useGet } from "../api/queries";
import type { Listing } from "../api/types";
import { useProject, useSession } from "../app/session";
import { Empty, Loaded, Problem } from "../components/Status";
import { State } from "../components/Verdict";
import { relative } from "../lib/format";
import { visible } from "../lib/hidden";

interface Proposal {
  id: string;
  kind: string;
  subject: string;
  title: string;
  by: string;
  at: number;
  reason?: string;
  base?: string;
  diff?: string[];
  impact?: { touched?: string[]; runs?: string[]; comparable?: string; meaning?: string };
  state?: string;
  decided_by?: string;
  comment?: string;
}

export function Proposals() {
  const project = useProject();
  const query = useGet<Listing<Proposal>>(project.api("/proposals"));
  return (
    <Loaded query={query}>
      {(data) => !data.items.length ? <Empty title="No proposal" command="evalwright proposal --help">A change of a golden set, rubric, scorer or gate waits here with its difference and its impact until somebody else agrees.</Empty> : (
        <div className="proposals">{data.items.map((proposal) => <One key={proposal.id} proposal={proposal} />)}</div>
      )}
    </Loaded>
  );
}

function One({ proposal }: { proposal: Proposal }) {
  const project = useProject();
  const session = useSession();
  const client = useQueryClient();
  const [error, setError] = useState<unknown>(null);
  const [comment, setComment] = useState("");
  const act = (what: string) => api.post(project.api(`/proposals/${encodeURIComponent(proposal.id)}/${what}`), { comment }).then(() => client.invalidateQueries(), setError);
  const mine = proposal.by === session.user.username;
  const { impact } = proposal;
  return (
    <article className="card">
      <header className="section-head"><h2>{visible(proposal.title)}</h2><State state={proposal.state} />{impact?.comparable && impact.comparable !== "yes" && <span className="pill warn">comparable: {visible(impact.comparable)}</span>}<span className="muted">{visible(proposal.kind)} {visible(proposal.subject)} · {visible(proposal.by)} · {relative(proposal.at)}</span></header>
      {error ? <Problem error={error} /> : null}
      {proposal.reason && <p>{visible(proposal.reason)}</p>}
      {impact?.meaning && <p className="muted">{visible(impact.meaning)}</p>}
      {!!proposal.diff?.length && <details className="fold"><summary>Difference{proposal.base ? ` from ${visible(proposal.base)}` : ""}</summary><div className="text code">{proposal.diff.map((line, place) => <div key={place} className={line.startsWith("+") ? "good-text" : line.startsWith("-") ? "error-text" : ""}>{visible(line)}</div>)}</div></details>}
      {!!impact?.runs?.length && <details className="fold"><summary>{impact.runs.length} runs it touches</summary><p className="small-text mono">{impact.runs.map(visible).join(", ")}</p></details>}
      {proposal.comment && <p className="small-text">{visible(proposal.decided_by ?? "")}: {visible(proposal.comment)}</p>}
      {proposal.state === "open" && project.can("reviewer") && (
        <div className="decide"><input aria-label="comment" placeholder="what you say to it" value={comment} onChange={(event) => setComment(event.target.value)} />
          {!mine && <button type="button" className="small" onClick={() => void act("approve")}>Approve</button>}
          {!mine && <button type="button" className="small danger" onClick={() => void act("reject")}>Reject</button>}
          {mine && <button type="button" className="small" onClick={() => void act("withdraw")}>Withdraw</button>}
        </div>
      )}
    </article>
  );
}
