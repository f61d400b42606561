/** Conversations in their many spellings as turns with a role and a text. */

import type { Message } from "../api/types";
import { asText } from "./hidden";

export interface Turn {
  role: string;
  text: string;
  calls: { name: string; arguments: unknown }[];
}

const ROLES = ["role", "speaker", "author"];
const TEXTS = ["content", "text"];

const first = (record: Record<string, unknown>, names: string[]): unknown => record[names.find((name) => name in record) ?? ""];

const isMessage = (value: unknown): value is Message & Record<string, unknown> =>
  typeof value === "object" && value !== null && typeof first(value as Record<string, unknown>, ROLES) === "string";

/** The turns of a value that is a conversation, or holds one under `messages`; null for anything else. */
export function turnsOf(value: unknown): Turn[] | null {
  const list = Array.isArray(value) ? value : typeof value === "object" && value !== null ? (value as Record<string, unknown>)["messages"] : null;
  if (!Array.isArray(list) || !list.length || !list.every(isMessage)) return null;
  return list.map((message) => ({ role: asText(first(message, ROLES)), text: contentText(first(message, TEXTS)), calls: callsOf(message) }));
}

/** A message's content as text: parts that are no text are named, never loaded. */
function contentText(content: unknown): string {
  if (!Array.isArray(content)) return asText(content);
  return content.map((part: unknown) => {
    if (typeof part === "string") return part;
    const record = (part ?? {}) as Record<string, unknown>;
    if (typeof record["text"] === "string") return record["text"];
    return `[${asText(record["type"]) || "part"}]`;
  }).join("\n");
}

function callsOf(message: Message): Turn["calls"] {
  const calls = message["tool_calls"];
  if (!Array.isArray(calls)) return [];
  return calls.map((call: unknown) => {
    const record = (call ?? {}) as Record<string, unknown>;
    const body = (record["function"] ?? record) as Record<string, unknown>;
    return { name: asText(body["name"]), arguments: body["arguments"] ?? body["args"] ?? null };
  });
}

/** A record with several named parts, shown field by field; null for anything else. */
export function fieldsOf(value: unknown): [string, unknown][] | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  return entries.length && entries.length <= 24 ? entries : null;
}
