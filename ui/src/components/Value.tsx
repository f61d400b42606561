/** An input, an expectation, an answer: as turns when it is a conversation, as fields when it is a record, else as text. */

import { fieldsOf, turnsOf, type Turn } from "../lib/turns";
import { asText, visible } from "../lib/hidden";
import { Text, type TextMark } from "./Text";

export function Value({ value, marks }: { value: unknown; marks?: readonly TextMark[] }) {
  const turns = turnsOf(value);
  if (turns) return <Turns turns={turns} />;
  const fields = fieldsOf(value);
  if (fields) {
    const sized = fields.map(([name, item]) => ({ name, item, size: asText(item).length })).sort((a, b) => weight(a) - weight(b));
    return (
      <dl className="fields soft">
        {sized.map(({ name, item, size }) => <div key={name}><dt>{visible(name)}</dt><dd>{size > LONG && typeof item === "object" && !turnsOf(item) ? <details><summary className="muted">{size.toLocaleString("en-US")} characters</summary><Part item={item} /></details> : <Part item={item} />}</dd></div>)}
      </dl>
    );
  }
  if (isWords(value)) return <Words words={value} />;
  return <Text value={value} marks={marks ?? []} />;
}

const weight = (field: { item: unknown; size: number }): number => Number(field.size > LONG && !turnsOf(field.item));

/** Fields longer than this come last, structured ones folded. */
const LONG = 1_500;

function Part({ item }: { item: unknown }) {
  const turns = turnsOf(item);
  if (turns) return <Turns turns={turns} />;
  if (isWords(item)) return <Words words={item} />;
  if (isTexts(item)) return <ol className="texts">{item.map((each, place) => <li key={place}><Text plain value={each.text} /></li>)}</ol>;
  return <Text plain value={item} />;
}

/** A list of passages or the like: records whose text is what matters. */
const isTexts = (value: unknown): value is { text: string }[] =>
  Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "object" && each !== null && typeof (each as { text?: unknown }).text === "string");

/** A list of plain values, which reads better as a list than as JSON. */
const isWords = (value: unknown): value is (string | number | boolean)[] =>
  Array.isArray(value) && value.length > 0 && value.length <= 40 && value.every((each) => typeof each !== "object");

function Words({ words }: { words: (string | number | boolean)[] }) {
  return <ul className="words">{words.map((word, place) => <li key={place}><Text plain value={String(word)} /></li>)}</ul>;
}

/** Roles with a look of their own; any other name must not become a class of the page. */
const KNOWN = new Set(["user", "system"]);

export function Turns({ turns }: { turns: Turn[] }) {
  return (
    <div className="turns">
      {turns.map((turn, place) => (
        <div key={place} className={`turn ${KNOWN.has(turn.role) ? turn.role : ""}`}>
          <span className="role">{visible(turn.role)}</span>
          <div>
            {(turn.text || !turn.calls.length) && <Text value={turn.text} />}
            {turn.calls.map((call, index) => <div key={index} className="call-line"><code>{visible(call.name)}</code> <Text plain mono value={call.arguments} /></div>)}
          </div>
        </div>
      ))}
    </div>
  );
}
