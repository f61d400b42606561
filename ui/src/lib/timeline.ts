/** Where a span lies on the timeline, with long stretches in which nothing ran folded. */

interface Timed {
  started_s: number | null;
  duration_s: number | null;
  children: number;
}

export interface TimeAxis {
  place: (start: number, duration: number) => { left: string; width: string };
  /** Seconds left out. */
  hidden: number;
}

/** Gaps longer than this share of the whole are folded to a sliver. */
const LONG = 0.08;
const SLIVER = 0.01;

/** Stretches of the trace in which no shown leaf runs, longest matter most. */
function gaps(spans: readonly Timed[], total: number): [number, number][] {
  const busy = spans
    .filter((span) => !span.children && span.started_s !== null && span.duration_s !== null)
    .map((span): [number, number] => [span.started_s ?? 0, (span.started_s ?? 0) + (span.duration_s ?? 0)])
    .sort((a, b) => a[0] - b[0]);
  if (busy.length < 2) return [];
  const found: [number, number][] = [];
  let end = 0;
  for (const [start, stop] of busy) {
    if (start - end > total * LONG) found.push([end, start]);
    end = Math.max(end, stop);
  }
  if (total - end > total * LONG) found.push([end, total]);
  return found;
}

export function timeAxis(spans: readonly Timed[], total: number, compress: boolean): TimeAxis {
  const folded = compress ? gaps(spans, total) : [];
  const hidden = folded.reduce((sum, [start, end]) => sum + (end - start) * (1 - SLIVER), 0);
  const length = total - hidden || 1;
  const at = (time: number) => {
    let cut = 0;
    for (const [start, end] of folded) cut += Math.max(0, Math.min(time, end) - start) * (1 - SLIVER);
    return ((time - cut) / length) * 100;
  };
  return {
    hidden,
    place: (start, duration) => {
      const left = Math.max(0, Math.min(100, at(start)));
      return { left: `${left.toFixed(3)}%`, width: `${Math.max(0.3, Math.min(100, at(start + duration)) - left).toFixed(3)}%` };
    },
  };
}
