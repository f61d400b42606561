/** Choose what to compare: a baseline and up to nine runs against it. */

import { useState } from "react";
import { useGet } from "../../api/queries";
import type { Listing, RunEntry } from "../../api/types";
import { navigate } from "../../app/router";
import { useProject } from "../../app/session";
import { Figures } from "../../components/Estimate";
import { Page } from "../../components/Page";
import { Empty, Loaded } from "../../components/Status";
import { VerdictBadge } from "../../components/Verdict";
import { moment } from "../../lib/format";
import { visible } from "../../lib/hidden";

export function Pick({ baseline, candidates }: { baseline: string; candidates: string[] }) {
  const project = useProject();
  const [base, setBase] = useState(baseline);
  const [others, setOthers] = useState<string[]>(candidates);
  const [suite, setSuite] = useState("");
  const runs = useGet<Listing<RunEntry>>(project.api("/runs"), { limit: 200 });
  const go = () => navigate(`${project.page("/compare")}?${new URLSearchParams([["baseline", base], ...others.map((id) => ["candidate", id])] as string[][]).toString()}`);
  const chosen = runs.data?.items.find((run) => run.run_id === (base || others[0]));
  const wanted = suite || chosen?.suite || "";
  const toggle = (id: string) => setOthers((now) => (now.includes(id) ? now.filter((each) => each !== id) : [...now, id].slice(0, 9)));
  return (
    <Page name="Compare" title="Compare runs" lead="Choose the baseline (A), then one to nine runs to hold against it. Only cases that both runs have, unchanged, are compared."
      actions={<button type="button" className="primary" disabled={!base || !others.length} onClick={go}>Compare</button>}>
      <Loaded query={runs} rows={8}>
        {(data) => {
          const suites = [...new Set(data.items.map((run) => run.suite))];
          const shown = data.items.filter((run) => !wanted || run.suite === wanted);
          if (data.items.length < 2) return <Empty title="A comparison needs two runs" command="evalwright run suite.yaml" />;
          return (
            <>
              <div className="filters"><select aria-label="Suite" value={wanted} onChange={(event) => { setSuite(event.target.value); setBase(""); setOthers([]); }}><option value="">All suites</option>{suites.map((each) => <option key={each}>{each}</option>)}</select></div>
              <table className="grid">
                <thead><tr><th>A</th><th>B …</th><th>Run</th><th>Target</th><th>Gate</th><th>Headline</th><th className="n">Started</th></tr></thead>
                <tbody>
                  {shown.map((run) => (
                    <tr key={run.run_id} className={run.run_id === base || others.includes(run.run_id) ? "current" : ""}>
                      <td className="pick"><input type="radio" name="baseline" aria-label={`baseline ${run.run_id}`} checked={base === run.run_id} onChange={() => { setBase(run.run_id); setOthers((now) => now.filter((id) => id !== run.run_id)); }} /></td>
                      <td className="pick"><input type="checkbox" aria-label={`candidate ${run.run_id}`} disabled={base === run.run_id} checked={others.includes(run.run_id)} onChange={() => toggle(run.run_id)} /></td>
                      <td className="key1">{visible(run.run_id)}</td><td data-l="target">{visible(run.target)}</td><td><VerdictBadge verdict={run.verdict} /></td>
                      <td>{run.headline ? <Figures figure={run.headline} /> : "–"}</td><td className="n">{moment(run.created_at)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
