/** A figure with its interval as number, words and bar. No figure is shown without its uncertainty. */

import type { Estimate as Figure, Rule } from "../api/types";
import { count, interval, metricName, number } from "../lib/format";

export interface Axis {
  low: number;
  high: number;
}

/** Where a value lies on the axis, in per cent, clamped. */
export const share = (axis: Axis, value: number): number =>
  100 * Math.min(1, Math.max(0, (value - axis.low) / (axis.high - axis.low)));

/** The axis for some figures: 0 to 1 where they fit, else from 0 (or lower) to a little above the largest. */
export function axisOf(figures: readonly Figure[], declared?: { low?: number | null; high?: number | null }, marks: readonly BarMark[] = []): Axis {
  const values = [...figures.flatMap((each) => [each.value, each.low, each.high]), ...marks.map((mark) => mark.value)].filter((v): v is number => typeof v === "number");
  const unitless = figures.every((each) => !each.unit);
  const least = Math.min(0, ...values);
  const most = Math.max(0, ...values);
  const low = typeof declared?.low === "number" && declared.low <= least ? declared.low : least;
  if (typeof declared?.high === "number" && declared.high >= most) return { low, high: declared.high };
  if (unitless && most <= 1) return { low, high: 1 };
  return { low, high: most > low ? most * 1.05 : low + 1 };
}

/** The figure in words, for a title and for screen readers. */
export function inWords(figure: Figure): string {
  const unit = figure.unit ?? "";
  if (figure.value === null) return `${metricName(figure)}: no value${figure.note ? `; ${figure.note}` : ""}`;
  const words = [`${metricName(figure)}${figure.slice ? ` for ${figure.slice}` : ""}: ${number(figure.value, unit)}`];
  if (typeof figure.low === "number" && typeof figure.high === "number") {
    words.push(`with ${Math.round((figure.level ?? 0.95) * 100)} % confidence between ${number(figure.low, unit)} and ${number(figure.high, unit)}`);
  }
  words.push(`${count(figure.n ?? 0)} cases scored`);
  if (figure.clusters) words.push(`${count(figure.clusters)} independent clusters`);
  if (figure.skipped) words.push(`${count(figure.skipped)} skipped`);
  if (figure.errors) words.push(`${count(figure.errors)} without a score because of errors`);
  if (figure.method) words.push(`interval: ${figure.method}`);
  if (figure.higher_is_better === false) words.push("lower is better");
  if (figure.note) words.push(figure.note);
  return words.join("; ");
}

export interface BarMark {
  value: number;
  minimum: boolean;
}

/** The absolute bounds of the rules that look at this figure. */
export function marksFor(figure: Figure, rules: readonly Rule[]): BarMark[] {
  const slice = (rule: Rule) => Object.entries(rule.slice ?? {}).map(([name, value]) => `${name}=${String(value)}`).join(",");
  return rules
    .filter((rule) => !rule.calibrated && rule.metric === figure.metric && (rule.statistic ?? "mean") === (figure.statistic === "corpus" ? "mean" : figure.statistic ?? "mean") && slice(rule) === (figure.slice ?? ""))
    .flatMap((rule) => [
      ...(typeof rule.at_least === "number" ? [{ value: rule.at_least, minimum: true }] : []),
      ...(typeof rule.at_most === "number" ? [{ value: rule.at_most, minimum: false }] : []),
    ]);
}

interface BarProps {
  figure: Figure;
  axis: Axis;
  marks?: readonly BarMark[];
  tone?: string;
  whole?: number | null;
}

/** The interval bar: axis, forbidden side of each bound, interval, point. */
export function IntervalBar({ figure, axis, marks = [], tone = "plain", whole }: BarProps) {
  const at = (value: number) => `${share(axis, value).toFixed(2)}%`;
  const { low, high, value } = figure;
  const left = typeof low === "number" ? share(axis, low) : 0;
  const right = typeof high === "number" ? share(axis, high) : 0;
  return (
    <svg className={`bar ${tone}`} role="img" aria-label={inWords(figure)} height="22" width="100%">
      <title>{inWords(figure)}</title>
      <line className="ax" x1="0" x2="100%" y1="11" y2="11" />
      {marks.map((mark) => {
        const edge = share(axis, mark.value);
        return <rect key={`no${mark.value}${mark.minimum}`} className="no" x={`${mark.minimum ? 0 : edge}%`} width={`${mark.minimum ? edge : 100 - edge}%`} y="2" height="18" />;
      })}
      {typeof whole === "number" && <line className="whole" x1={at(whole)} x2={at(whole)} y1="1" y2="21" />}
      {typeof low === "number" && typeof high === "number" && (
        <rect className="iv" x={`${left.toFixed(2)}%`} width={`${Math.max(right - left, 0.4).toFixed(2)}%`} y="5" height="12" rx="2" />
      )}
      {marks.map((mark) => <line key={`m${mark.value}${mark.minimum}`} className="mark" x1={at(mark.value)} x2={at(mark.value)} y1="1" y2="21" />)}
      {value !== null && <circle className="dot" cx={at(value)} cy="11" r="3.5" />}
    </svg>
  );
}

/** Whether the unit is told once, behind the interval. */
const inInterval = (figure: Figure): boolean => !!figure.unit && figure.unit !== "s" && figure.unit !== "seconds" && typeof figure.low === "number";

/** The number with its interval beside it. */
export function Figures({ figure }: { figure: Figure }) {
  return (
    <span className="figures" title={inWords(figure)}>
      <b>{number(figure.value, inInterval(figure) ? "" : figure.unit)}</b> <span className="muted">{interval(figure.low, figure.high, figure.unit)}</span>
    </span>
  );
}

interface DeltaProps {
  difference: number | null;
  low?: number | null;
  high?: number | null;
  margin?: number | null;
  span: number;
  better: boolean | null | undefined;
  tone: string;
  words: string;
}

/** The bar of a difference: zero line in the middle, the margin of losses that don't matter shaded. */
export function DeltaBar({ difference, low, high, margin, span, better, tone, words }: DeltaProps) {
  const axis: Axis = { low: -span, high: span };
  const bad = better === false ? 1 : -1;
  const left = typeof low === "number" ? share(axis, low) : null;
  const right = typeof high === "number" ? share(axis, high) : null;
  const edge = typeof margin === "number" && margin > 0 ? share(axis, bad * margin) : null;
  return (
    <svg className={`bar delta ${tone}`} role="img" aria-label={words} height="22" width="100%">
      <title>{words}</title>
      <line className="ax" x1="0" x2="100%" y1="11" y2="11" />
      {edge !== null && <rect className="no" x={`${bad < 0 ? 0 : edge}%`} width={`${bad < 0 ? edge : 100 - edge}%`} y="2" height="18" />}
      {edge !== null && <line className="whole" x1={`${edge}%`} x2={`${edge}%`} y1="2" y2="20" />}
      {left !== null && right !== null && <rect className="iv" x={`${left}%`} width={`${Math.max(right - left, 0.5)}%`} y="5" height="12" rx="2" />}
      <line className="mark" x1="50%" x2="50%" y1="1" y2="21" />
      {difference !== null && <circle className="dot" cx={`${share(axis, difference)}%`} cy="11" r="3.5" />}
    </svg>
  );
}
