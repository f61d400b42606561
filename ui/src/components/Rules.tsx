/** The rules of a gate: verdict, the rule in words, the figure it rests on, why; and waiving one. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import type { RuleResult } from "../api/types";
import { useProject } from "../app/session";
import { signed } from "../lib/format";
import { visible } from "../lib/hidden";
import { resultWords } from "../lib/rules";
import { Dialog } from "./Dialog";
import { axisOf, DeltaBar, Figures, IntervalBar, marksFor } from "./Estimate";
import { Field, FormError, useSubmit } from "./Form";
import { VerdictBadge } from "./Verdict";

/** Rules shown before the reader asks for all; failing ones come first. */
const MOST = 8;

export function RuleList({ results, run, names = [] }: { results: RuleResult[]; run: string; names?: string[] }) {
  const [waiving, setWaiving] = useState<{ result: RuleResult; rule: string } | null>(null);
  const [all, setAll] = useState(false);
  const project = useProject();
  const shown = all || results.length <= MOST + 1 ? results : results.slice(0, MOST);
  return (
    <ul className="rules">
      {shown.map((result, place) => (
        <li key={place} className="rule">
          <div className="rule-verdict">
            <VerdictBadge verdict={result.waived ? "waived" : result.verdict} />
            {!result.waived && result.verdict !== "pass" && (result.rule.waivable ?? true) && project.can("engineer") && (
              <button type="button" className="link waive" onClick={() => setWaiving({ result, rule: names[place] ?? String(place + 1) })}>Ask for a waiver</button>
            )}
          </div>
          <div className="rule-words">
            <b title={visible(result.reason ?? "")}>{visible(resultWords(result))}</b>{result.rule.severity === "warn" && <span className="chip">warns only</span>}
            {result.reason && result.verdict !== "pass" && <p className="muted clamp2" title={visible(result.reason)}>{visible(result.reason)}</p>}
            {result.waived && <p className="small-text warn-text">set aside by waiver {visible(result.waived)}</p>}
          </div>
          <RuleFigure result={result} />
        </li>
      ))}
      {shown.length < results.length && <li className="rule"><button type="button" className="link" onClick={() => setAll(true)}>{results.length - shown.length} more rules</button></li>}
      {waiving && <WaiverDialog run={run} result={waiving.result} rule={waiving.rule} onClose={() => setWaiving(null)} />}
    </ul>
  );
}

function RuleFigure({ result }: { result: RuleResult }) {
  const { paired, estimate, verdict, rule } = result;
  if (paired) {
    const span = Math.max(Math.abs(paired.low ?? 0), Math.abs(paired.high ?? 0), Math.abs(paired.difference ?? 0), (rule.max_drop ?? 0) * 1.3) || 1;
    return (
      <div className="rule-figure">
        <DeltaBar difference={paired.difference} low={paired.low} high={paired.high} margin={rule.max_drop ?? null} span={span} better={paired.higher_is_better} tone={verdict} words={`difference ${signed(paired.difference, paired.unit, paired.share)}`} />
        <span className="figures"><b>{signed(paired.difference, paired.unit, paired.share)}</b></span>
      </div>
    );
  }
  if (!estimate || estimate.value === null) return <div className="rule-figure" />;
  return (
    <div className="rule-figure">
      <IntervalBar figure={estimate} axis={axisOf([estimate], undefined, marksFor(estimate, [rule]))} marks={marksFor(estimate, [rule])} tone={verdict} />
      <Figures figure={estimate} />
    </div>
  );
}

function WaiverDialog({ run, result, rule, onClose }: { run: string; result: RuleResult; rule: string; onClose: () => void }) {
  const project = useProject();
  const client = useQueryClient();
  const submit = useSubmit(async (values) => {
    await api.post(project.api("/waivers"), { run, rule, reason: values["reason"], expires_days: Number(values["days"]), ticket: values["ticket"] ?? "" });
    await client.invalidateQueries();
    onClose();
  });
  return (
    <Dialog title="Ask for a waiver" onClose={onClose}>
      <form onSubmit={submit.onSubmit}>
        <p>{visible(resultWords(result))}</p>
        <Field label="Why the release may go ahead" error={submit.fieldError("reason")}><textarea name="reason" rows={3} required autoFocus /></Field>
        <Field label="Expires after (days)" error={submit.fieldError("expires_days")}><input name="days" type="number" min={1} max={365} defaultValue={14} required /></Field>
        <Field label="Ticket (optional)"><input name="ticket" /></Field>
        <p className="muted small-text">Somebody else must approve it. It is recorded and counted.</p>
        <FormError error={submit.error} />
        <div className="actions"><button type="submit" className="primary" disabled={submit.busy}>Ask</button></div>
      </form>
    </Dialog>
  );
}
