/** One curve; a `null` leaves a gap. */
export interface Curve {
  readonly label: string;
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Stairs: a value holds until the next one. */
  readonly steps?: boolean;
}

/** A row of the chart, with an axis of its own. */
export interface Panel {
  readonly title: string;
  readonly curves: readonly Curve[];
  /** A level that is drawn across, such as a target. */
  readonly level?: number;
}

const WIDTH = 860;
const PANEL = 150;
const MARGIN = { left: 64, right: 150, top: 26, gap: 40 };

/**
 * An SVG drawing of panels one above the other on one time axis.
 *
 * @param seconds the length of the time axis
 */
export function drawChart(title: string, seconds: number, panels: readonly Panel[]): string {
  const height = MARGIN.top + panels.length * (PANEL + MARGIN.gap) + 10;
  const x = (at: number): number => MARGIN.left + (at / seconds) * (WIDTH - MARGIN.left - MARGIN.right);
  const rows = panels.map((panel, i) =>
    drawPanel(panel, MARGIN.top + 14 + i * (PANEL + MARGIN.gap), x, seconds),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    text(MARGIN.left, 18, title, 'start', 14),
    ...rows,
    '</svg>\n',
  ].join('\n');
}

function drawPanel(panel: Panel, top: number, x: (at: number) => number, seconds: number): string {
  const highest = Math.max(
    panel.level ?? 0,
    ...panel.curves.flatMap(({ points }) => points.map(([, y]) => y)),
  );
  const step = niceStep(highest / 4);
  const max = Math.max(step, Math.ceil(highest / step) * step);
  const y = (value: number): number => top + PANEL - (value / max) * PANEL;
  const ticks = Array.from({ length: Math.round(max / step) + 1 }, (_, i) => i * step);
  const right = x(seconds);
  return [
    text(MARGIN.left, top - 6, panel.title),
    ...ticks.flatMap((tick) => [
      line(MARGIN.left, right, y(tick), '#ddd'),
      text(MARGIN.left - 6, y(tick) + 4, label(tick), 'end'),
    ]),
    ...timeTicks(seconds).map((at) => text(x(at), top + PANEL + 15, clock(at, seconds), 'middle')),
    ...(panel.level === undefined ? [] : [line(MARGIN.left, right, y(panel.level), '#c00', '4 3')]),
    ...panel.curves.flatMap((curve, i) => [
      path(curve, x, y),
      `<rect x="${right + 10}" y="${top + 18 * i}" width="10" height="10" fill="${curve.colour}"/>`,
      text(right + 26, top + 9 + 18 * i, curve.label),
    ]),
  ].join('\n');
}

function path(
  { points, steps, colour }: Curve,
  x: (at: number) => number,
  y: (value: number) => number,
): string {
  const commands = points.map(([at, value], i) => {
    const [px, py] = [x(at).toFixed(1), y(value).toFixed(1)];
    if (i === 0) return `M${px} ${py}`;
    return steps ? `H${px}V${py}` : `L${px} ${py}`;
  });
  return `<path d="${commands.join('')}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
}

function line(from: number, to: number, y: number, colour: string, dashes = ''): string {
  const dashed = dashes ? ` stroke-dasharray="${dashes}"` : '';
  return `<path d="M${from} ${y.toFixed(1)}H${to.toFixed(1)}" stroke="${colour}"${dashed}/>`;
}

function text(x: number, y: number, content: string, anchor = 'start', size = 11): string {
  const escaped = content.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" font-size="${size}">${escaped}</text>`;
}

/** 1, 2 or 5 times a power of ten, not less than asked for. */
function niceStep(least: number): number {
  if (!(least > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10) * power;
}

function label(value: number): string {
  return value >= 10_000 ? `${value / 1000}k` : String(Number(value.toPrecision(6)));
}

function timeTicks(seconds: number): number[] {
  const step = seconds > 7200 ? Math.ceil(seconds / 8 / 3600) * 3600 : niceStep(seconds / 60 / 8) * 60;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => i * step);
}

function clock(at: number, seconds: number): string {
  if (seconds > 7200) return `${Math.round(at / 3600)} h`;
  return seconds > 600 ? `${Math.round(at / 60)} min` : `${Math.round(at)} s`;
}
