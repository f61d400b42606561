/** A gate's rules in plain words, as the reports write them. */

import type { Rule, RuleResult } from "../api/types";
import { number } from "./format";

export const sliceName = (slice: Rule["slice"]): string =>
  Object.entries(slice ?? {}).map(([name, value]) => `${name}=${String(value)}`).join(",");

function demand(rule: Rule, unit: string): string {
  const against = !rule.versus || rule.versus === "baseline" ? "the baseline" : rule.versus;
  if (rule.calibrated) return "measured against people's labels";
  if (typeof rule.at_least === "number") return `at least ${number(rule.at_least, unit)}`;
  if (rule.metric === "newly_failing") return `at most ${rule.at_most ?? 0}`;
  if (rule.metric === "dataset_age") return `at most ${Math.round((rule.at_most ?? 0) / 86_400)} days`;
  if (typeof rule.at_most === "number") return `at most ${number(rule.at_most, unit)}`;
  if (typeof rule.max_drop === "number") return `at most ${number(rule.max_drop, unit)} worse than ${against}`;
  if (typeof rule.min_gain === "number") return `at least ${number(rule.min_gain, unit)} better than ${against}`;
  return "without a bound";
}

export function ruleWords(rule: Rule, unit = ""): string {
  const counted = rule.metric === "newly_failing" || rule.metric === "dataset_age";
  let subject = counted ? rule.metric.replace("_", " ") : rule.metric;
  if (rule.statistic && rule.statistic !== "mean") subject = `${rule.metric} ${rule.statistic}`;
  if (rule.slice) subject += ` for ${sliceName(rule.slice)}`;
  return `${subject} ${demand(rule, unit)}`;
}

export const resultWords = (result: RuleResult): string => ruleWords(result.rule, result.estimate?.unit ?? result.paired?.unit ?? "");
