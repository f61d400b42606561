/** The bar above a table: search and choices, each kept in the URL. */

import { useEffect, useRef, useState, type ReactNode } from "react";
import { useKeys } from "../app/keys";
import { useQueryState } from "../app/router";

export interface Choice {
  name: string;
  label: string;
  options: readonly (string | { value: string; text: string })[];
}

interface FiltersProps {
  search?: string;
  choices?: readonly Choice[];
  children?: ReactNode;
}

export function Filters({ search, choices = [], children }: FiltersProps) {
  const [read, write] = useQueryState();
  return (
    <div className="filters">
      {search !== undefined && <SearchBox placeholder={search} />}
      {choices.map((choice) => (
        <select key={choice.name} aria-label={choice.label} value={read(choice.name)} onChange={(event) => write({ [choice.name]: event.target.value })}>
          <option value="">{choice.label}: all</option>
          {choice.options.map((option) => {
            const { value, text } = typeof option === "string" ? { value: option, text: option } : option;
            return <option key={value} value={value}>{text}</option>;
          })}
        </select>
      ))}
      {children}
    </div>
  );
}

/** Typing is written to the URL after a pause; `/` moves here. */
export function SearchBox({ placeholder, name = "q" }: { placeholder: string; name?: string }) {
  const [read, write] = useQueryState();
  const kept = read(name);
  const [typed, setTyped] = useState(kept);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => setTyped(kept), [kept]);
  useEffect(() => {
    if (typed === kept) return;
    const timer = setTimeout(() => write({ [name]: typed }), 250);
    return () => clearTimeout(timer);
  }, [typed, kept]);
  useKeys("Search", [{ key: "/", what: "search this list", run: () => box.current?.focus() }]);
  return (
    <input ref={box} type="search" placeholder={placeholder} aria-label={placeholder} value={typed}
      onChange={(event) => setTyped(event.target.value)}
      onKeyDown={(event) => { if (event.key === "Escape") { setTyped(""); event.currentTarget.blur(); } }} />
  );
}

/** The filters in force as chips that can be taken off. */
export function ActiveFilters({ names }: { names: Record<string, string> }) {
  const [read, write] = useQueryState();
  const active = Object.keys(names).filter((name) => read(name));
  if (!active.length) return null;
  return (
    <div className="chips">
      {active.map((name) => (
        <button key={name} type="button" className="chip" onClick={() => write({ [name]: null })} title="take this filter off">
          {names[name]}: <b>{read(name)}</b> ✕
        </button>
      ))}
      {active.length > 1 && <button type="button" className="link" onClick={() => write(Object.fromEntries(active.map((name) => [name, null])))}>clear all</button>}
    </div>
  );
}

/** Tabs whose choice lives in the URL. */
export function Tabs({ name, tabs, fallback }: { name: string; tabs: readonly { id: string; title: ReactNode }[]; fallback: string }) {
  const [read, write] = useQueryState();
  const chosen = read(name, fallback);
  return (
    <div className="tabs" role="tablist">
      {tabs.map((tab) => (
        <button key={tab.id} type="button" role="tab" aria-selected={chosen === tab.id} onClick={() => write({ [name]: tab.id === fallback ? null : tab.id })}>
          {tab.title}
        </button>
      ))}
    </div>
  );
}
