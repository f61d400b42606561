/** Keyboard: one place that knows which keys a page answers to, so that `?` can show them all. */

import { useEffect, useRef, useSyncExternalStore } from "react";

/** Keys by name (`j`, `Ctrl+Enter`, `ArrowDown`), what they do in words, and the deed. */
export interface Key {
  key: string;
  what: string;
  run: (event: KeyboardEvent) => void;
  /** Works while the reader types in a field. */
  typing?: boolean;
}

interface Layer {
  title: string;
  keys: Key[];
}

const layers: { current: Layer }[] = [];
let snapshot: Layer[] = [];
const listeners = new Set<() => void>();

function changed() {
  snapshot = layers.map((layer) => layer.current);
  listeners.forEach((listener) => listener());
}

/** The name of a pressed key with its modifiers, as `Key.key` spells it. */
export function nameOf(event: KeyboardEvent): string {
  const control = event.ctrlKey || event.metaKey;
  // AltGr types characters on many keyboards; the browser reports it as Ctrl+Alt.
  if (event.getModifierState?.("AltGraph")) return event.key;
  return `${control ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${event.key}`;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT") return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "range"].includes(target.type);
}

function pressed(event: KeyboardEvent) {
  if (event.defaultPrevented || event.isComposing) return;
  const modal = document.querySelector("dialog[open]") !== null;
  const name = nameOf(event);
  const typing = isTyping(event.target);
  for (const layer of [...layers].reverse()) {
    const key = layer.current.keys.find((each) => each.key === name && (!typing || each.typing));
    if (!key) continue;
    if (modal && !key.typing) return;
    event.preventDefault();
    key.run(event);
    return;
  }
}

let listening = false;

/** Answer to keys while the component is shown; later layers win. */
export function useKeys(title: string, keys: Key[]): void {
  const layer = useRef<Layer>({ title, keys });
  layer.current = { title, keys };
  useEffect(() => {
    if (!listening) {
      document.addEventListener("keydown", pressed);
      listening = true;
    }
    const mine = layer;
    layers.push(mine);
    changed();
    return () => {
      layers.splice(layers.indexOf(mine), 1);
      changed();
    };
  }, []);
  useEffect(changed, [keys.map((key) => key.key).join(" ")]);
}

/** All keys in force, for the help. */
export function useKeyHelp(): Layer[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => snapshot,
  );
}
