/** State in the URL: the path says which page, the query says what it shows, so that every view is a permalink. */

import { useCallback, useMemo, useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from "react";

const CHANGED = "evalwright:navigated";

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(CHANGED, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(CHANGED, listener);
  };
}

const here = () => window.location.pathname + window.location.search;

/** Go to an address of the workbench. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  if (to === here()) return;
  const samePage = to.split("?")[0] === window.location.pathname;
  window.history[options.replace ? "replaceState" : "pushState"](null, "", to);
  window.dispatchEvent(new Event(CHANGED));
  if (!samePage) window.scrollTo(0, 0);
}

/** The current path and query. */
export function useLocation(): { path: string; search: URLSearchParams; href: string } {
  const href = useSyncExternalStore(subscribe, here);
  return useMemo(() => {
    const [path = "/", query = ""] = href.split("?");
    return { path, search: new URLSearchParams(query), href };
  }, [href]);
}

export type Query = Record<string, string | null | undefined>;

/** An address with some of its query changed; empty values are removed. */
export function withQuery(href: string, changes: Query): string {
  const [path = "/", query = ""] = href.split("?");
  const search = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) search.set(name, value);
    else search.delete(name);
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

/** The query as a record of the page's state, and a function that changes parts of it. */
export function useQueryState(): [(name: string, fallback?: string) => string, (changes: Query, push?: boolean) => void] {
  const { search } = useLocation();
  const read = useCallback((name: string, fallback = "") => search.get(name) ?? fallback, [search]);
  const write = useCallback((changes: Query, push = false) => {
    navigate(withQuery(here(), changes), { replace: !push });
  }, []);
  return [read, write];
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { to: string };

/** A link within the workbench; other windows and new tabs work as for any link. */
export function Link({ to, onClick, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !plain) return;
    event.preventDefault();
    navigate(to);
  };
  return <a href={to} onClick={follow} {...rest} />;
}

/** Match a path against a pattern such as `/p/:project/runs/:run`; the decoded parts, or null. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.replace(/\/+$/, "").split("/");
  if (wanted.length !== given.length) return null;
  const parts: Record<string, string> = {};
  for (const [place, name] of wanted.entries()) {
    const part = given[place] ?? "";
    if (name.startsWith(":")) parts[name.slice(1)] = decoded(part);
    else if (name !== part) return null;
  }
  return parts;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
