/** Shapes of the API's answers, as far as the pages read them. */

export type Verdict = "pass" | "fail" | "inconclusive";

export interface Listing<T> {
  items: T[];
  total: number | null;
  next: string | null;
}

export interface Estimate {
  metric: string;
  value: number | null;
  low?: number | null;
  high?: number | null;
  level?: number;
  method?: string;
  n?: number;
  skipped?: number;
  errors?: number;
  trials?: number;
  clusters?: number | null;
  se?: number | null;
  slice?: string;
  unit?: string;
  higher_is_better?: boolean | null;
  statistic?: string;
  note?: string;
}

// Session and accounts

export type Role = "viewer" | "reviewer" | "engineer" | "lead" | "admin";

export interface ProjectRole {
  name: string;
  title: string;
  role: string;
}

export interface Session {
  user: { username: string; name: string; email?: string | null; admin: boolean };
  csrf: string;
  projects: ProjectRole[];
  server: { version: string; oidc: { id: string; title: string }[] };
}

export interface User {
  username: string;
  name: string;
  email?: string | null;
  admin: boolean;
  identity?: string | null;
  disabled?: boolean;
  created_at?: number;
  last_seen_at?: number | null;
}

export interface Member {
  username: string;
  role: string;
}

export interface Token {
  id: string;
  name: string;
  scopes: string[];
  created_at?: number;
  expires_at?: number | null;
  last_used_at?: number | null;
  prefix?: string;
  token?: string;
  secret?: string;
}

export interface AuditEntry {
  seq?: number;
  id?: string | number;
  at: number;
  actor: string;
  action: string;
  project?: string | null;
  target?: string | null;
  subject?: string | null;
  detail?: unknown;
  hash?: string;
}

// Reading

export interface RunEntry {
  run_id: string;
  suite: string;
  target: string;
  status: string;
  created_at: number;
  finished_at?: number | null;
  cases?: number;
  units?: number;
  errored?: number;
  cost?: number | null;
  tags?: string[];
  verdict?: string | null;
  headline?: Estimate | null;
  live?: Live | null;
  problem?: string;
}

export interface Rule {
  metric: string;
  at_least?: number | null;
  at_most?: number | null;
  versus?: string | null;
  max_drop?: number | null;
  min_gain?: number | null;
  confidence?: number;
  slice?: Record<string, unknown> | null;
  statistic?: string;
  severity?: string;
  calibrated?: Record<string, unknown> | null;
  newly_failing?: Record<string, unknown> | null;
  waivable?: boolean;
  name?: string;
}

export interface RuleResult {
  rule: Rule;
  verdict: Verdict;
  estimate?: Estimate | null;
  bound?: number | null;
  reason?: string;
  cases_needed?: number | null;
  paired?: PairedFigure | null;
  newly?: { count: number; pairs: number; cases?: string[] } | null;
  waived?: string | null;
}

export interface Decision {
  verdict: Verdict;
  results?: RuleResult[];
  reason?: string;
  baseline?: string | null;
  quarantined?: number;
  attempts?: number;
}

export interface Waiver {
  id: string;
  rule: string;
  reason: string;
  run_id?: string;
  suite?: string;
  requested_by?: string;
  requested_at?: number;
  approved_by?: string | null;
  approved_at?: number | null;
  expires_at?: number | null;
  ticket?: string;
  /** `requested`, `active`, `expired` or `revoked`. */
  status?: string;
  /** The same, as the overview names it. */
  state?: string;
}

export interface HistoryPoint {
  run_id: string;
  at: number;
  value: number | null;
  low?: number | null;
  high?: number | null;
  verdict?: string | null;
  comparable?: boolean;
}

export interface OverviewSuite {
  suite: string;
  tier?: number | string | null;
  owner?: string | null;
  target?: string | null;
  run_id?: string | null;
  verdict?: string | null;
  reason?: string;
  finished_at?: number | null;
  previous_verdict?: string | null;
  waivers?: Waiver[];
  blocking?: { rule: string; verdict: Verdict; reason: string }[];
  headline?: Estimate | null;
  history?: HistoryPoint[];
}

export interface Overview {
  suites: OverviewSuite[];
  safety: { open: { run_id: string; suite: string; metric: string; count: number; severity?: string | null }[] };
  judges: {
    scorer: string;
    kappa?: number | null;
    low?: number | null;
    high?: number | null;
    n?: number | null;
    measured_at?: number | null;
    drift?: number | string | null;
    prompt_current?: boolean | null;
  }[];
  sets: {
    name: string;
    tier?: number | string | null;
    owner?: string | null;
    version?: string | number | null;
    age_days?: number | null;
    cadence_days?: number | null;
    stale?: boolean | null;
    cases?: number | null;
    state?: string | null;
  }[];
  review: { queues: number; open: number; in_progress: number; adjudication: number; oldest_at?: number | null };
  spend: { currency: string; last_30d: number | null; unknown?: number; per_suite: { suite: string; cost: number | null; runs?: number }[] };
}

export interface Progress {
  units: number;
  done: number;
  errored?: number;
  cost?: number | null;
  rate?: number;
  eta_s?: number | null;
  running?: Record<string, number>;
}

export interface Live {
  alive: boolean;
  status?: string;
  paused?: boolean;
  updated_at?: number;
  progress?: Progress | null;
  reason?: string;
}

export interface RunDetail {
  entry: RunEntry;
  manifest: Record<string, unknown> & { scorers?: ScorerRecord[]; dataset?: unknown };
  totals?: Record<string, unknown> | null;
  estimates: Estimate[];
  slices: { name: string; values: Estimate[] }[];
  decision?: Decision | null;
  notes?: string[];
  bad_rows?: { source: string; line: number; reason: string; text: string }[];
  failing?: number;
  cards?: Record<string, { figures: Estimate[]; n: number; created_at: number; data?: string; notes?: string[] }>;
  artefacts?: { name: string; bytes: number; at: number }[];
  live?: Live | null;
}

export interface ScorerRecord {
  metric: string;
  name?: string;
  version?: string;
  low?: number | null;
  high?: number | null;
  higher_is_better?: boolean | null;
  unit?: string;
  severity?: string | null;
}

export interface RowScore {
  status: string;
  value?: number | null;
  passed?: boolean | null;
  label?: string | null;
}

export interface CaseRow {
  case_id: string;
  trial: number;
  input: unknown;
  output: unknown;
  expected?: unknown;
  passed: boolean | null;
  error?: { kind: string; message?: string } | null;
  scores: Record<string, RowScore>;
  latency_s?: number | null;
  cost?: number | null;
  slices?: string[];
}

export interface Evidence {
  where?: string;
  index?: number | null;
  start?: number | null;
  end?: number | null;
  text?: string;
  note?: string;
}

export interface FullScore extends RowScore {
  reason?: string;
  evidence?: Evidence[];
  parts?: Record<string, number>;
}

export interface Message {
  role?: string;
  content?: unknown;
  [extra: string]: unknown;
}

export interface ToolCall {
  name: string;
  arguments?: unknown;
  id?: string;
  result?: unknown;
  error?: string | null;
}

export interface Passage {
  id?: string;
  text?: string;
  score?: number | null;
  metadata?: Record<string, unknown>;
}

export interface Output {
  text?: string;
  data?: unknown;
  messages?: Message[];
  tool_calls?: ToolCall[];
  contexts?: Passage[];
  citations?: string[];
  usage?: { input_tokens?: number; output_tokens?: number; cached_tokens?: number } | null;
  cost?: number | null;
  latency_s?: number | null;
  model?: string | null;
  finish_reason?: string | null;
  metadata?: Record<string, unknown>;
}

export interface Unit {
  trial: number;
  output: Output | null;
  error?: { kind: string; message?: string } | null;
  scores: Record<string, FullScore>;
  attempts?: { kind: string; message?: string; status?: number | null; duration_s?: number; waited_s?: number }[];
  latency_s?: number | null;
  duration_s?: number | null;
  tokens?: { input_tokens?: number; output_tokens?: number; cached_tokens?: number } | null;
  cost?: number | null;
  passed?: boolean | null;
  cached?: boolean;
  spans?: number;
}

export interface CaseDetail {
  case: {
    id: string;
    input: unknown;
    expected?: unknown;
    metadata?: Record<string, unknown>;
    tags?: string[];
    cluster?: string | null;
  };
  units: Unit[];
  neighbours: { previous?: string | null; next?: string | null };
  history: { run_id: string; at: number; target?: string; passed: boolean | null; errored?: boolean; same_case?: boolean; scores?: Record<string, RowScore> }[];
  why_failed?: string | null;
  slices?: Record<string, string[]>;
  passed?: boolean | null;
}

export interface SpanRow {
  id: string;
  parent: string | null;
  name: string;
  kind: string;
  started_s: number | null;
  duration_s: number | null;
  tokens?: number | null;
  cost?: number | null;
  children: number;
  below?: number;
  depth?: number;
  error?: string | null;
  scores?: { metric: string; value?: number | null; passed?: boolean | null; note?: string }[];
  preview?: string;
}

export interface SpanDetail {
  row: SpanRow;
  input: unknown;
  output: unknown;
  path?: SpanRow[];
}

export interface TracePage {
  items: SpanRow[];
  total: number;
  spans_total?: number;
  duration_s?: number | null;
  next?: string | null;
}

// Comparison

export interface PairedFigure {
  metric: string;
  baseline: number | null;
  candidate: number | null;
  difference: number | null;
  low?: number | null;
  high?: number | null;
  level?: number;
  p?: number | null;
  p_adjusted?: number | null;
  exact_p?: number | null;
  n?: number;
  wins?: number;
  losses?: number;
  ties?: number;
  clusters?: number | null;
  effect?: number | null;
  detectable?: number | null;
  method?: string;
  test?: string;
  slice?: string;
  statistic?: string;
  unit?: string;
  higher_is_better?: boolean | null;
  verdicts?: boolean;
  share?: boolean;
  note?: string;
  margin?: number | null;
  mde?: number | null;
  verdict?: string | null;
  no_worse?: boolean | null;
}

export interface Mismatch {
  what: string;
  weight: "breaks" | "limits" | "explains";
  meaning: string;
  baseline?: string;
  candidate?: string;
  metrics?: string[];
}

export interface Flips {
  metric: string;
  fail_pass: number;
  pass_fail: number;
  both: number;
  neither: number;
  verdicts?: boolean;
}

export interface Pairing {
  pairs: number;
  relabelled?: number;
  changed?: number;
  baseline_only?: number;
  candidate_only?: number;
}

export interface RunSide {
  run_id: string;
  label?: string;
  suite?: string;
  target?: string;
  dataset?: string;
  cases?: number;
  cost?: number | null;
  created_at?: number;
  status?: string;
}

export interface Candidate {
  run: RunSide;
  pairs: Pairing;
  mismatches?: Mismatch[];
  metrics: PairedFigure[];
  flips?: Flips[];
  slices?: PairedFigure[];
  recommendation?: { advice: string; headline: string; reasons?: string[]; limits?: string[] } | null;
  reversals?: { metric: string; sentence: string; kind?: string }[];
  comparable?: boolean;
}

export interface CompareResult {
  baseline: RunSide;
  candidates: Candidate[];
  level?: number;
  margin?: number;
  family?: string;
}

export interface CompareSide {
  run_id: string;
  output?: unknown;
  value?: number | null;
  passed?: boolean | null;
  error?: { kind: string; message?: string } | string | null;
  latency_s?: number | null;
  cost?: number | null;
  delta?: number | null;
}

export interface CompareRow {
  case_id: string;
  input?: unknown;
  expected?: unknown;
  slices?: string[];
  sides: CompareSide[];
  delta: number | null;
}

export interface TrendPoint {
  run_id: string;
  at: number;
  value: number | null;
  low?: number | null;
  high?: number | null;
  n?: number;
  verdict?: string | null;
  target?: string;
  dataset_version?: string | null;
  comparable_with_previous?: boolean;
  break_reason?: string | null;
}

export interface Trends {
  suite: string;
  metric: string;
  slice: string;
  statistic: string;
  unit: string;
  higher_is_better: boolean | null;
  points: TrendPoint[];
  metrics: { metric: string; statistic: string; unit: string; higher_is_better?: boolean | null; slices?: string[] }[];
  targets: string[];
}

export interface SuiteEntry {
  name: string;
  file?: string | null;
  owner?: string | null;
  tier?: number | string | null;
  runbook?: string | null;
  thresholds?: boolean;
  complete?: boolean;
  missing?: string[];
  description?: string;
  version?: string;
  dataset?: string | null;
  metrics?: string[];
  targets?: string[];
  last_run?: string | null;
  baseline?: string | null;
  last_run_at?: number | null;
  verdict?: string | null;
  runs?: number;
}

// Review

export interface RubricLevel {
  name: string;
  value: number;
  anchor?: string;
}

export interface Rubric {
  name: string;
  criterion: string;
  levels: RubricLevel[];
  version?: string;
  scale?: string;
  pass_from?: string | null;
  notes?: string;
  examples?: { input?: string; output: string; level: string; reason?: string }[];
}

/** `pointwise` or `pairwise`. */
export type QueueKind = string;

export interface Queue {
  id: string;
  name: string;
  kind: QueueKind;
  rubrics: Rubric[];
  raters_per_item: number;
  raters?: string[] | null;
  lease_minutes?: number;
  created_by?: string;
  created_at?: number;
  state: string;
  source?: unknown;
  counts: { items: number; done: number; in_progress: number; adjudication: number; labels: number; oldest_at?: number | null };
  mine?: { done: number; total?: number; skipped: number } | null;
  calibration_share?: number;
  rationale?: RationaleRule | null;
}

export interface RationaleRule {
  required_at_or_below?: Record<string, string>;
  differs_from_prior?: boolean;
  always?: boolean;
}

/** A passage, message or tool call: `kind`, `title`, `text`. */
export type ContextPart = Record<string, string>;

export interface ShownOutput {
  side: string;
  text: string;
  context?: ContextPart[];
}

export interface ReviewItem {
  id: string;
  queue_id: string;
  kind: QueueKind;
  lease_until: number;
  position: { done: number; total: number; skipped?: number };
  input: unknown;
  context?: ContextPart[];
  expected?: unknown;
  outputs: ShownOutput[];
  rubrics: Rubric[];
  draft?: Draft | null;
}

export interface NextItem {
  item?: ReviewItem | null;
  reason?: string | null;
  code?: string | null;
}

export interface SpanNote {
  side: string;
  start: number;
  end: number;
  text: string;
  note: string;
}

export interface Draft {
  answers?: Record<string, string>;
  rationale?: string;
  spans?: SpanNote[];
  seconds?: number | null;
}

export interface Submitted {
  label_id: string;
  undo_until: number;
  new?: boolean;
  position?: { done: number; total: number };
}

export interface Label {
  id: string;
  rater: string;
  answers: Record<string, string>;
  rationale?: string;
  spans?: SpanNote[];
  seconds?: number | null;
  confidence?: number | null;
  at?: number;
}

export interface RubricAgreement {
  name: string;
  scale: string;
  levels: string[];
  units: number;
  pairable: number;
  raters_n: number;
  ratings: number;
  missing?: number | null;
  percent: Estimate;
  fleiss: Estimate;
  alpha: Estimate;
  gwet_ac: Estimate;
  gwet_ac1?: Estimate;
  brennan_prediger?: Estimate;
  kappa?: Estimate | null;
  weighted?: Estimate | null;
  alphas?: Record<string, Estimate>;
  intraclass?: Record<string, Estimate>;
  reading?: string | null;
  warnings?: string[];
  levels_used?: { level: string; count: number; share: number; specific_agreement?: number | null; disagreements: number }[];
  confusion?: { levels: string[]; matrix: number[][] } | null;
  levels_in_dispute?: { level_a: string; level_b: string; count: number; share: number }[];
  pairs?: { a: string; b: string; n: number; percent: Estimate; kappa: Estimate; kappa_quadratic?: Estimate | null }[];
  raters?: {
    rater: string;
    n: number;
    shared?: number;
    agreement?: Estimate | null;
    bias?: Estimate | null;
    median_seconds?: number | null;
    calibration_accuracy?: Estimate | null;
    share_a?: Estimate | null;
  }[];
  over_time?: { from_at: number; to_at: number; n: number; percent: Estimate; alpha: Estimate }[];
}
