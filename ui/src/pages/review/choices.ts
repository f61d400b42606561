/** What may be answered, and when a reason is needed. */

import type { Queue, QueueKind, Rubric } from "../../api/types";

export interface Choice {
  value: string;
  text: string;
  anchor: string;
}

export function choicesOf(kind: QueueKind, rubric: Rubric): Choice[] {
  if (kind === "pairwise") return [{ value: "A", text: "A is better", anchor: "" }, { value: "tie", text: "Equally good", anchor: "" }, { value: "B", text: "B is better", anchor: "" }];
  return rubric.levels.map((level) => ({ value: level.name, text: level.name, anchor: level.anchor ?? "" }));
}

/** Whether the queue's rule asks for a reason for these answers. */
export function needsReason(queue: Queue, rubrics: readonly Rubric[], answers: Record<string, string>): boolean {
  const rule = queue.rationale;
  if (!rule) return false;
  if (rule.always) return true;
  return rubrics.some((rubric) => {
    const limit = rule.required_at_or_below?.[rubric.name];
    const names = rubric.levels.map((level) => level.name);
    const given = names.indexOf(answers[rubric.name] ?? "");
    return limit !== undefined && given >= 0 && given <= names.indexOf(limit);
  });
}
