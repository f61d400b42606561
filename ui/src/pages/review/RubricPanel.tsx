/** The right side of the labelling screen: the questions with their anchors, the reason, the marked places. */

import type { RefObject } from "react";
import type { ApiError } from "../../api/client";
import type { Queue, ReviewItem, Rubric } from "../../api/types";
import { visible } from "../../lib/hidden";
import { choicesOf, needsReason } from "./choices";
import type { Work } from "./Labelling";

interface PanelProps {
  queue: Queue;
  item: ReviewItem;
  rubrics: Rubric[];
  work: Work;
  focus: number;
  error: ApiError | null;
  busy: boolean;
  saved: string;
  rationale: RefObject<HTMLTextAreaElement | null>;
  onFocus: (rubric: number) => void;
  onChoose: (rubric: number, choice: number) => void;
  onWork: (work: Work) => void;
  onSubmit: () => void;
  onSkip: () => void;
  onFlag: () => void;
  onHighlight: () => void;
}

export function RubricPanel(props: PanelProps) {
  const { queue, item, rubrics, work, focus, error, busy, saved } = props;
  const { done, total } = item.position;
  const reason = needsReason(queue, rubrics, work.answers);
  return (
    <aside className="labelling-right card">
      <div className="labelling-progress"><span className="progress"><span style={{ width: `${total ? (100 * done) / total : 0}%` }} /></span><span className="num small-text">{done} of {total}</span><span className="muted small-text" aria-live="polite">{saved}</span></div>
      {rubrics.map((rubric, place) => (
        <fieldset key={rubric.name} className={`question ${place === focus ? "focused" : ""}`} onClick={() => props.onFocus(place)} disabled={busy}>
          <legend>{visible(rubric.criterion)}</legend>
          {rubric.notes && <p className="muted small-text">{visible(rubric.notes)}</p>}
          <div className={queue.kind === "pairwise" ? "levels pair" : "levels"}>
            {choicesOf(queue.kind, rubric).map((choice, index) => (
              <label key={choice.value} className={work.answers[rubric.name] === choice.value ? "chosen" : ""}>
                <input type="radio" name={`rubric-${rubric.name}`} checked={work.answers[rubric.name] === choice.value} onChange={() => props.onChoose(place, index)} />
                <kbd>{index + 1}</kbd>
                <span><b>{visible(choice.text)}</b>{choice.anchor && <span className="anchor">{visible(choice.anchor)}</span>}</span>
              </label>
            ))}
          </div>
          {!!rubric.examples?.length && <details className="fold"><summary>Examples</summary><ul className="examples">{rubric.examples.map((example, index) => <li key={index}><b>{visible(example.level)}</b>: {visible(example.output)} <span className="muted">{visible(example.reason ?? "")}</span></li>)}</ul></details>}
        </fieldset>
      ))}
      <label className="field"><span>Reason {reason ? <span className="warn-text">needed</span> : <span className="muted">(optional)</span>}</span>
        <textarea ref={props.rationale} rows={3} value={work.rationale} maxLength={8000} onChange={(event) => props.onWork({ ...work, rationale: event.target.value })} onKeyDown={(event) => { if (event.key === "Escape") event.currentTarget.blur(); }} />
      </label>
      <div className="marked">
        <button type="button" className="small" onMouseDown={(event) => event.preventDefault()} onClick={props.onHighlight}>Mark the selected words <kbd>h</kbd></button>
        {work.spans.map((span, place) => (
          <div key={`${span.side}${span.start}`} className="marked-span">
            <q>{visible(span.text.slice(0, 160))}</q>
            <input aria-label="what it shows" placeholder="what it shows" value={span.note} onChange={(event) => props.onWork({ ...work, spans: work.spans.map((each, index) => (index === place ? { ...each, note: event.target.value } : each)) })} />
            <button type="button" className="icon" aria-label="take the mark off" onClick={() => props.onWork({ ...work, spans: work.spans.filter((_, index) => index !== place) })}>✕</button>
          </div>
        ))}
      </div>
      {error && <div className="problem" role="alert"><b>{error.message}</b>{error.hint && <p>{error.hint}</p>}{error.fields.map((field) => <p key={field.field}>{field.message}</p>)}</div>}
      <div className="actions">
        <button type="button" onClick={props.onFlag} disabled={busy}>Flag <kbd>f</kbd></button>
        <button type="button" onClick={props.onSkip} disabled={busy}>Skip <kbd>→</kbd></button>
        <button type="button" className="primary" onClick={props.onSubmit} disabled={busy}>Hand in <kbd>Ctrl ⏎</kbd></button>
      </div>
      <p className="muted small-text">Press <kbd>?</kbd> for all keys. Model, scores and other labels stay hidden.</p>
    </aside>
  );
}
