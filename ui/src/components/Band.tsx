/** A metric over runs: points, interval band, breaks where runs can't be compared. */

import { navigate } from "../app/router";
import { day, interval, moment, number } from "../lib/format";

export interface BandPoint {
  id: string;
  at: number;
  value: number | null;
  low?: number | null;
  high?: number | null;
  verdict?: string | null;
  connected: boolean;
  words?: string;
  href?: string;
}

interface BandProps {
  points: readonly BandPoint[];
  unit?: string;
  height?: number;
  width?: number;
  small?: boolean;
  marks?: readonly number[];
  title: string;
}

function rangeOf(points: readonly BandPoint[], marks: readonly number[]): [number, number] {
  const values = points.flatMap((p) => [p.value, p.low, p.high]).filter((v): v is number => typeof v === "number");
  const low = Math.min(...values, ...marks);
  const high = Math.max(...values, ...marks);
  const pad = (high - low || Math.abs(high) || 1) * 0.12;
  return [low >= 0 ? Math.max(0, low - pad) : low - pad, high <= 1 && low >= 0 ? Math.min(1, high + pad) : high + pad];
}

/** The stretches of points that can be compared with one another. */
function stretches(points: readonly BandPoint[]): BandPoint[][] {
  const found: BandPoint[][] = [];
  for (const point of points) {
    if (point.value === null) continue;
    const last = found.at(-1);
    if (last && point.connected) last.push(point);
    else found.push([point]);
  }
  return found;
}

export function Band({ points, unit = "", height = 220, width = 860, small = false, marks = [], title }: BandProps) {
  const shown = points.filter((point) => point.value !== null);
  if (!shown.length) return <p className="none">no value yet</p>;
  const [low, high] = rangeOf(shown, marks);
  const pad = small ? { l: 4, r: 4, t: 4, b: 4 } : { l: 62, r: 14, t: 14, b: 28 };
  const place = new Map(points.map((point, index) => [point.id, index]));
  const step = (width - pad.l - pad.r) / Math.max(points.length - 1, 1);
  const x = (point: BandPoint) => pad.l + (points.length === 1 ? (width - pad.l - pad.r) / 2 : (place.get(point.id) ?? 0) * step);
  const y = (value: number) => pad.t + (height - pad.t - pad.b) * (1 - (value - low) / (high - low || 1));
  const parts = stretches(points);
  const ticks = small ? [] : [low, (low + high) / 2, high];
  const short = (shown.at(-1)?.at ?? 0) - (shown[0]?.at ?? 0) < 3 * 86_400;
  const every = Math.max(1, Math.ceil(points.length / Math.max(2, Math.floor(width / 110))));
  return (
    <svg className={`band ${small ? "small" : ""}`} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={title} preserveAspectRatio={small ? "none" : "xMidYMid meet"}>
      <title>{title}</title>
      {ticks.map((tick) => (
        <g key={tick}>
          <line className="grid-line" x1={pad.l} x2={width - pad.r} y1={y(tick)} y2={y(tick)} />
          <text className="tick" x={pad.l - 8} y={y(tick) + 4} textAnchor="end">{number(tick, unit)}</text>
        </g>
      ))}
      {marks.map((mark) => <line key={mark} className="bound" x1={pad.l} x2={width - pad.r} y1={y(mark)} y2={y(mark)} />)}
      {parts.slice(1).map((part) => part[0] && (
        <line key={part[0].id} className="break" x1={x(part[0]) - step / 2} x2={x(part[0]) - step / 2} y1={pad.t} y2={height - pad.b}>
          <title>{part[0].words}</title>
        </line>
      ))}
      {parts.map((part) => {
        const upper = part.map((p) => `${x(p)},${y(p.high ?? p.value ?? 0)}`);
        const lower = [...part].reverse().map((p) => `${x(p)},${y(p.low ?? p.value ?? 0)}`);
        return (
          <g key={part[0]?.id}>
            {part.length > 1 ? <polygon className="area" points={[...upper, ...lower].join(" ")} /> : part[0] && (
              <line className="whisker" x1={x(part[0])} x2={x(part[0])} y1={y(part[0].low ?? part[0].value ?? 0)} y2={y(part[0].high ?? part[0].value ?? 0)} />
            )}
            <polyline className="path" points={part.map((p) => `${x(p)},${y(p.value ?? 0)}`).join(" ")} />
          </g>
        );
      })}
      {!small && shown.map((point) => (
        <g key={point.id} className={`point ${point.verdict ?? ""}`}>
          <line className="whisker" x1={x(point)} x2={x(point)} y1={y(point.low ?? point.value ?? 0)} y2={y(point.high ?? point.value ?? 0)} />
          <circle cx={x(point)} cy={y(point.value ?? 0)} r="5" tabIndex={point.href ? 0 : undefined} role={point.href ? "link" : undefined}
            onClick={() => point.href && navigate(point.href)} onKeyDown={(event) => event.key === "Enter" && point.href && navigate(point.href)}>
            <title>{`${day(point.at)}: ${number(point.value, unit)} ${interval(point.low, point.high, unit)}${point.words ? `\n${point.words}` : ""}`}</title>
          </circle>
        </g>
      ))}
      {!small && points.map((point, index) => index % every === 0 && (
        <text key={point.id} className="tick" x={x(point)} y={height - 8} textAnchor={index === 0 ? "start" : index === points.length - 1 ? "end" : "middle"}>{short ? moment(point.at).slice(5) : day(point.at)}</text>
      ))}
    </svg>
  );
}
