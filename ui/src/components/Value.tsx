/** An input, an expectation, an answer: as turns when it is a conversation, as fields when it is a record, else as text. */

import { fieldsOf, turnsOf, type Turn } from "../lib/turns";
import { visible } from "../lib/hidden";
import { Text, type TextMark } from "./Text";

export function Value({ value, marks }: { value: unknown; marks?: readonly TextMark[] }) {
  const turns = turnsOf(value);
  if (turns) return <Turns turns={turns} />;
  const fields = fieldsOf(value);
  if (fields) {
    return (
      <dl className="fields soft">
        {fields.map(([name, item]) => <div key={name}><dt>{visible(name)}</dt><dd>{turnsOf(item) ? <Turns turns={turnsOf(item) ?? []} /> : <Text plain value={item} />}</dd></div>)}
      </dl>
    );
  }
  return <Text value={value} marks={marks ?? []} />;
}

export function Turns({ turns }: { turns: Turn[] }) {
  return (
    <div className="turns">
      {turns.map((turn, place) => (
        <div key={place} className={`turn ${turn.role}`}>
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
