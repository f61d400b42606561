/** Figures in words: numbers with units, intervals and times as every report of Evalwright writes them. */

import type { Estimate } from "../api/types";

const SECONDS = new Set(["s", "seconds"]);
const MONEY = new Set(["USD", "EUR", "GBP", "CHF", "JPY"]);
const NONE = "–";

const grouped = (value: number, places: number) =>
  value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });

/** A number without its unit: three digits after the point up to 1, fewer the larger it is. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size > 0 && size < 0.00005) return value.toExponential(1);
  if (size <= 1) return value.toFixed(size > 0 && size < 0.001 ? 4 : 3);
  if (size < 100) return value.toFixed(2);
  return grouped(value, size < 10_000 ? 1 : 0);
}

/** A duration: `42 ms`, `1.24 s`, `3 min 05 s`, `2 h 07 min`. */
export function seconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  const size = Math.abs(value);
  if (size > 0 && size < 0.001) return `${Math.round(value * 1e6)} µs`;
  if (size < 1) return `${Math.round(value * 1000)} ms`;
  if (size < 60) return `${value.toFixed(size < 10 ? 2 : 1)} s`;
  const minutes = Math.floor(Math.round(value) / 60);
  const rest = Math.round(value) % 60;
  if (minutes < 60) return `${minutes} min ${String(rest).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

function moneyDigits(value: number): string {
  const size = Math.abs(value);
  if (value === 0 || size >= 1) return grouped(value, 2);
  const significant = size >= 0.01 ? 2 : 1;
  return value.toFixed(Math.min(9, significant - Math.floor(Math.log10(size))));
}

/** A cost with its currency. */
export function money(value: number | null | undefined, currency = "USD"): string {
  return value === null || value === undefined ? NONE : `${moneyDigits(value)} ${currency}`;
}

/** A number with its unit, short enough for a table. */
export function number(value: number | null | undefined, unit = ""): string {
  if (value === null || value === undefined) return NONE;
  if (SECONDS.has(unit)) return seconds(value);
  return `${MONEY.has(unit) ? moneyDigits(value) : digits(value)} ${unit}`.trimEnd();
}

/** The interval with its unit once: `[0.812, 0.931]`. */
export function interval(low: number | null | undefined, high: number | null | undefined, unit = ""): string {
  if (low === null || low === undefined || high === null || high === undefined) return NONE;
  if (SECONDS.has(unit)) return `[${seconds(low)}, ${seconds(high)}]`;
  const write = MONEY.has(unit) ? moneyDigits : digits;
  return `[${write(low)}, ${write(high)}] ${unit}`.trimEnd();
}

/** A difference with its sign; points (hundredths) where the metric is a share. */
export function signed(value: number | null | undefined, unit = "", share = false): string {
  if (value === null || value === undefined) return NONE;
  const sign = value > 0 ? "+" : value < 0 ? "−" : "±";
  if (share) return `${sign}${(Math.abs(value) * 100).toFixed(1)} pts`;
  return `${sign}${number(Math.abs(value), unit)}`;
}

/** A probability as comparisons write it. */
export function pValue(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  return value < 0.001 ? "< .001" : value.toFixed(3).replace(/^0/, "");
}

/** A share as a percentage. */
export const percent = (value: number | null | undefined, places = 0): string =>
  value === null || value === undefined ? NONE : `${(value * 100).toFixed(places)} %`;

/** A count with thousands marked. */
export const count = (value: number | null | undefined): string =>
  value === null || value === undefined ? NONE : value.toLocaleString("en-US");

/** A count with its noun: `1 case`, `1,204 cases`. */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** The metric's name with its statistic where that is no mean: `latency p95`. */
export function metricName(estimate: Pick<Estimate, "metric" | "statistic">): string {
  const plain = !estimate.statistic || estimate.statistic === "mean" || estimate.statistic === "corpus";
  return plain ? estimate.metric : `${estimate.metric} ${estimate.statistic}`;
}

/** Seconds since the epoch as `2026-08-01 14:05`, in the reader's time zone. */
export function moment(at: number | null | undefined): string {
  if (!at) return NONE;
  const date = new Date(at * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${day(at)} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Seconds since the epoch as `2026-08-01`. */
export function day(at: number | null | undefined): string {
  if (!at) return NONE;
  const date = new Date(at * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** How long ago or how far ahead: `5 min ago`, `in 3 d`. */
export function relative(at: number | null | undefined, now = Date.now() / 1000): string {
  if (!at) return NONE;
  const gap = at - now;
  const size = Math.abs(gap);
  const words =
    size < 90 ? `${Math.round(size)} s`
    : size < 5400 ? `${Math.round(size / 60)} min`
    : size < 129_600 ? `${Math.round(size / 3600)} h`
    : `${Math.round(size / 86_400)} d`;
  return gap < 0 ? `${words} ago` : `in ${words}`;
}
