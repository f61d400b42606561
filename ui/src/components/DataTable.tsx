/** A table of server-paged rows: only the rows in sight are in the page, sort and columns live in the URL. */

import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";
import type { Paged } from "../api/queries";
import { address, type Params } from "../api/client";
import { Link, navigate, useQueryState } from "../app/router";
import { useProject } from "../app/session";
import { count } from "../lib/format";
import { Menu } from "./Menu";
import { Loading, Problem } from "./Status";

export interface Column<T> {
  id: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** The name the server sorts by. */
  sort?: string;
  numeric?: boolean;
  /** Not shown until chosen. */
  optional?: boolean;
  wide?: boolean;
  /** The first cell of a row on a phone. */
  main?: boolean;
}

interface TableProps<T> {
  columns: Column<T>[];
  page: Paged<T>;
  rowKey: (row: T) => string;
  href?: (row: T) => string;
  empty: ReactNode;
  chosen?: Set<string>;
  onChoose?: (row: T) => void;
  current?: number;
  label: string;
  rowHeight?: number;
}

/** The columns in force, by the URL's `cols`. */
export function useColumns<T>(columns: Column<T>[]): [Column<T>[], ReactNode] {
  const [read, write] = useQueryState();
  const wanted = read("cols");
  const names = wanted ? wanted.split(",") : columns.filter((column) => !column.optional).map((column) => column.id);
  const shown = columns.filter((column) => column.main || names.includes(column.id));
  const toggle = (id: string) => {
    const next = names.includes(id) ? names.filter((name) => name !== id) : [...names, id];
    write({ cols: next.join(",") });
  };
  const chooser = (
    <Menu label="Columns">
      {columns.filter((column) => !column.main).map((column) => (
        <label key={column.id} className="check">
          <input type="checkbox" checked={names.includes(column.id)} onChange={() => toggle(column.id)} /> {column.title}
        </label>
      ))}
      {wanted && <button type="button" className="link" onClick={() => write({ cols: null })}>Standard columns</button>}
    </Menu>
  );
  return [shown, chooser];
}

/** Links that download the whole table with its filters. */
export function ExportMenu({ table, params = {} }: { table: string; params?: Params }) {
  const project = useProject();
  return (
    <Menu label="Export">
      {(["csv", "jsonl"] as const).map((format) => (
        <a key={format} className="item" download href={address(project.api(`/export/${table}`), { ...params, format })}>
          {format === "csv" ? "CSV (spreadsheets)" : "JSON lines"}
        </a>
      ))}
    </Menu>
  );
}

export function DataTable<T>(props: TableProps<T>) {
  const { columns, page, rowKey, href, empty, chosen, onChoose, current, label, rowHeight = 45 } = props;
  const [read, write] = useQueryState();
  const sort = read("sort");
  const top = useRef<HTMLTableElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => {
    const measured = (top.current?.getBoundingClientRect().top ?? 0) + window.scrollY;
    if (Math.abs(measured - offset) > 2) setOffset(measured);
  });
  const virtual = useWindowVirtualizer({
    count: page.rows.length,
    estimateSize: () => rowHeight,
    overscan: 15,
    scrollMargin: offset,
    getItemKey: (index) => { const row = page.rows[index]; return row === undefined ? index : rowKey(row); },
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= page.rows.length - 20 && page.hasMore) page.more();
  }, [last, page.rows.length, page.hasMore]);
  useEffect(() => {
    if (current !== undefined && current >= 0) virtual.scrollToIndex(current, { align: "auto" });
  }, [current]);

  if (page.error && !page.rows.length) return <Problem error={page.error} retry={page.retry} />;
  if (page.loading) return <Loading rows={8} />;
  if (!page.rows.length) return <>{empty}</>;
  const before = (items[0]?.start ?? 0) - (items.length ? offset : 0);
  const after = virtual.getTotalSize() - ((items.at(-1)?.end ?? 0) - offset);
  const span = columns.length + (onChoose ? 1 : 0);
  return (
    <>
      <table className={`grid ${page.fetching ? "stale" : ""}`} aria-label={label} aria-rowcount={page.total ?? -1} ref={top}>
        <thead>
          <tr>
            {onChoose && <th className="pick"><span className="sr">choose</span></th>}
            {columns.map((column) => (
              <th key={column.id} scope="col" className={column.numeric ? "n" : column.wide ? "wide" : ""} aria-sort={ariaSort(sort, column.sort)}>
                {column.sort ? (
                  <button type="button" className="sort" onClick={() => write({ sort: nextSort(sort, column.sort ?? "", column.numeric) })}>
                    {column.title}{arrow(sort, column.sort)}
                  </button>
                ) : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <tr className="spacer" aria-hidden="true"><td colSpan={span} style={{ height: before }} /></tr>}
          {items.map((item) => {
            const row = page.rows[item.index];
            if (row === undefined) return null;
            const to = href?.(row);
            return (
              <tr key={item.key} data-index={item.index} ref={virtual.measureElement} aria-rowindex={item.index + 2}
                className={`${to ? "go-row" : ""} ${current === item.index ? "current" : ""}`}
                onClick={(event) => to && openRow(event, to)}>
                {onChoose && (
                  <td className="pick" onClick={(event) => event.stopPropagation()}>
                    <input type="checkbox" checked={chosen?.has(rowKey(row)) ?? false} onChange={() => onChoose(row)} aria-label={`choose ${rowKey(row)}`} />
                  </td>
                )}
                {columns.map((column) => (
                  <td key={column.id} data-l={column.main ? undefined : column.title} className={`${column.numeric ? "n" : column.wide ? "wide" : ""} ${column.main ? "key1" : ""}`}>
                    {column.main && to ? <Link className="row-link" to={to}>{column.cell(row)}</Link> : column.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
          {after > 0 && <tr className="spacer" aria-hidden="true"><td colSpan={span} style={{ height: after }} /></tr>}
        </tbody>
      </table>
      <p className="table-foot muted">
        {page.total !== null ? `${count(page.rows.length)} of ${count(page.total)} loaded` : `${count(page.rows.length)} loaded`}
        {page.hasMore && <button type="button" className="link" onClick={page.more}>load more</button>}
      </p>
    </>
  );
}

function openRow(event: React.MouseEvent, to: string) {
  const target = event.target as HTMLElement;
  if (target.closest("a,button,input,label,details,select") || window.getSelection()?.toString()) return;
  if (event.ctrlKey || event.metaKey) window.open(to, "_blank", "noopener");
  else navigate(to);
}

/** Clicking a heading: largest first for numbers, then the other way, then the server's own order. */
function nextSort(now: string, name: string, numeric = false): string | null {
  const [first, second] = numeric ? [`-${name}`, name] : [name, `-${name}`];
  return now === first ? second : now === second ? null : first;
}

const ariaSort = (now: string, name?: string) =>
  !name ? undefined : now === name ? "ascending" : now === `-${name}` ? "descending" : "none";

const arrow = (now: string, name: string) => (now === name ? " ↑" : now === `-${name}` ? " ↓" : "");
