/** A verdict told by word, sign and colour, so that none of them is needed alone. */

const SIGNS: Record<string, string> = { pass: "✓", fail: "✕", inconclusive: "?", waived: "!", none: "·", error: "!", running: "…" };
const WORDS: Record<string, string> = { pass: "Pass", fail: "Fail", inconclusive: "Inconclusive", waived: "Waived", none: "No gate" };

export function VerdictBadge({ verdict, big = false }: { verdict: string | null | undefined; big?: boolean }) {
  const name = verdict ?? "none";
  return (
    <span className={`verdict-badge ${name} ${big ? "big" : ""}`}>
      <span className="sign" aria-hidden="true">{SIGNS[name] ?? "·"}</span>
      {WORDS[name] ?? name}
    </span>
  );
}

const TONES: Record<string, string> = {
  complete: "plain", decided: "plain", running: "running", interrupted: "warn", stopped: "fail", budget: "warn",
  "cut off": "warn", open: "plain", closed: "muted", active: "pass", approved: "pass", done: "pass", delivered: "pass", failed: "fail", missed: "warn", skipped: "muted", waiting: "plain", requested: "warn", pending: "warn",
  expired: "muted", revoked: "muted", rejected: "fail", draft: "warn", in_review: "warn", agreed: "pass", disputed: "warn", adjudicated: "pass",
};

/** A state in a word. */
export function State({ state }: { state: string | null | undefined }) {
  if (!state) return <span className="muted">–</span>;
  return <span className={`pill ${TONES[state] ?? "plain"}`}>{state}</span>;
}

/** Passed, failed, errored or not judged, for one row. */
export function Outcome({ passed, error }: { passed: boolean | null | undefined; error?: unknown }) {
  if (error) return <span className="outcome warn" title="error"><span aria-hidden="true">!</span><span className="sr">error</span></span>;
  if (passed === true) return <span className="outcome pass" title="passed"><span aria-hidden="true">✓</span><span className="sr">passed</span></span>;
  if (passed === false) return <span className="outcome fail" title="failed"><span aria-hidden="true">✕</span><span className="sr">failed</span></span>;
  return <span className="outcome" title="no row verdict"><span aria-hidden="true">·</span><span className="sr">not judged</span></span>;
}
