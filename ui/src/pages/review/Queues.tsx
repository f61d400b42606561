/** The queues of the project: what waits, who is at it, and making a new one. */

import { useState } from "react";
import { useGet } from "../../api/queries";
import type { Listing, Queue } from "../../api/types";
import { Link, useQueryState } from "../../app/router";
import { useProject } from "../../app/session";
import { Page } from "../../components/Page";
import { Empty, Loaded } from "../../components/Status";
import { State } from "../../components/Verdict";
import { count, relative } from "../../lib/format";
import { visible } from "../../lib/hidden";
import { NewQueue } from "./NewQueue";
import { TableAgreement } from "./TableAgreement";

export function Queues() {
  const project = useProject();
  const [read, write] = useQueryState();
  const query = useGet<Listing<Queue>>(project.api("/review/queues"), {}, { refetchInterval: 20_000 });
  const [table, setTable] = useState(false);
  const queue = (id: string, rest = "") => project.page(`/review/${encodeURIComponent(id)}${rest}`);
  return (
    <Page title="Review" name="Review" lead="People's labels: blind to model, judge and other reviewers until they are handed in."
      actions={<>
        <button type="button" onClick={() => setTable(true)}>Agreement of a table</button>
        {project.can("lead") && <button type="button" className="primary" onClick={() => write({ new: "run" })}>New queue</button>}
      </>}>
      <Loaded query={query}>
        {(data) => !data.items.length ? (
          <Empty title="No queue yet" command="evalwright review --help">{project.can("lead") ? "Make a queue from a run, a comparison, a golden set, or the cases a judge and a rule disagree on." : "A lead of the project makes queues."}</Empty>
        ) : (
          <table className="grid">
            <thead><tr><th>Queue</th><th>Asked</th><th className="wide">Progress</th><th className="n">To adjudicate</th><th className="n">Mine</th><th>State</th><th className="n">Made</th><th /></tr></thead>
            <tbody>
              {data.items.map((each) => (
                <tr key={each.id}>
                  <td className="key1"><Link to={queue(each.id)}>{visible(each.name)}</Link></td>
                  <td data-l="asked">{each.kind === "pairwise" ? "which is better" : "one answer"}, {each.rubrics.map((rubric) => rubric.name).map(visible).join(", ")}{each.raters_per_item > 1 ? `, ${each.raters_per_item} reviewers each` : ""}</td>
                  <td className="wide"><Progress queue={each} /></td>
                  <td className="n" data-l="to adjudicate">{each.counts.adjudication ? <Link to={queue(each.id, "/adjudication")}>{count(each.counts.adjudication)}</Link> : "0"}</td>
                  <td className="n" data-l="mine">{count(each.mine?.done ?? 0)}</td><td><State state={each.state} /></td><td className="n">{relative(each.created_at)}</td>
                  <td className="n">{each.state === "open" && project.can("reviewer") && <Link className="button small" to={queue(each.id, "/label")}>Label</Link>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
      {read("new") && project.can("lead") && <NewQueue run={read("run")} onClose={() => write({ new: null, run: null })} />}
      {table && <TableAgreement onClose={() => setTable(false)} />}
    </Page>
  );
}

export function Progress({ queue }: { queue: Queue }) {
  const { items, done, in_progress: busy } = queue.counts;
  return (
    <span className="queue-progress">
      <span className="progress"><span style={{ width: `${items ? (100 * done) / items : 0}%` }} /></span>
      <span className="num small-text">{count(done)} of {count(items)}{busy ? `, ${busy} begun` : ""}</span>
    </span>
  );
}
