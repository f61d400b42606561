/** Reading: one hook per kind of request, keyed by its address, so that the same question is asked once. */

import { keepPreviousData, useInfiniteQuery, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, type Params } from "./client";
import type { Listing } from "./types";

export interface GetOptions {
  enabled?: boolean;
  refetchInterval?: number | false;
  keep?: boolean;
}

/** A document of the API. */
export function useGet<T>(path: string, params: Params = {}, options: GetOptions = {}): UseQueryResult<T> {
  return useQuery<T>({
    queryKey: [path, params],
    queryFn: ({ signal }) => api.get<T>(path, params, signal),
    enabled: options.enabled ?? true,
    refetchInterval: options.refetchInterval ?? false,
    ...(options.keep ? { placeholderData: keepPreviousData } : {}),
  });
}

export interface Paged<T> {
  rows: T[];
  total: number | null;
  more: () => void;
  hasMore: boolean;
  loading: boolean;
  fetching: boolean;
  error: unknown;
  retry: () => void;
  extra: Listing<T> | undefined;
}

/** A list of the API, page after page by its cursor. */
export function usePaged<T>(path: string, params: Params = {}, options: GetOptions & { limit?: number } = {}): Paged<T> {
  const limit = options.limit ?? 100;
  const query = useInfiniteQuery({
    queryKey: [path, "pages", params, limit],
    queryFn: ({ pageParam, signal }) => api.get<Listing<T>>(path, { ...params, limit, cursor: pageParam }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    enabled: options.enabled ?? true,
    placeholderData: keepPreviousData,
    refetchInterval: options.refetchInterval ?? false,
  });
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  return {
    rows,
    total: query.data?.pages[0]?.total ?? null,
    more: () => void (query.hasNextPage && !query.isFetchingNextPage && query.fetchNextPage()),
    hasMore: query.hasNextPage,
    loading: query.isPending,
    fetching: query.isFetching,
    error: query.error,
    retry: () => void query.refetch(),
    extra: query.data?.pages[0],
  };
}
