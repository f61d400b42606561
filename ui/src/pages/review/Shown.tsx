/** What a reviewer sees of an item: the question, the passages and steps, the answer or the two answers. */

import type { ContextPart, ReviewItem } from "../../api/types";
import { Text } from "../../components/Text";
import { Value } from "../../components/Value";
import { oneLine, visible } from "../../lib/hidden";
import { Selectable } from "./Selectable";
import type { Work } from "./Labelling";

export function Shown({ item, work }: { item: ReviewItem; work: Pick<Work, "spans"> }) {
  return (
    <>
      <section><h4>What was asked</h4><Value value={item.input} /></section>
      {!!item.context?.length && <Context parts={item.context} />}
      <div className={item.outputs.length > 1 ? "two-answers" : ""}>
        {item.outputs.map((output) => (
          <section key={output.side}>
            <h4>{item.outputs.length > 1 ? `Answer ${output.side}` : "The answer"}</h4>
            <Selectable side={output.side} text={output.text} spans={work.spans.filter((span) => span.side === output.side)} />
            {!!output.context?.length && <Context parts={output.context} />}
          </section>
        ))}
      </div>
      {item.expected !== null && item.expected !== undefined && <section><h4>What was expected</h4><Value value={item.expected} /></section>}
    </>
  );
}

export function Context({ parts }: { parts: ContextPart[] }) {
  return (
    <section>
      <h4>What the answer stands on ({parts.length})</h4>
      <ol className="passages">
        {parts.map((part, place) => (
          <li key={place}><details open={parts.length <= 3}><summary><span className="kind">{visible(part["kind"] ?? "")}</span> <b>{visible(part["title"] ?? "")}</b> <span className="peek muted">{visible(oneLine(part["text"], 110))}</span></summary><Text value={part["text"] ?? ""} /></details></li>
        ))}
      </ol>
    </section>
  );
}
