/** Draws lines over time as an SVG file that is readable on a light and on a dark page. */

export interface Line {
  readonly name: string;
  /** One value a second; they are drawn in this order. */
  readonly values: readonly number[];
}

const [WIDTH, HEIGHT] = [900, 340];
const EDGE = { left: 70, right: 20, top: 60, bottom: 40 };
const STEPS = 5;

const STYLE = `
  text { font: 13px sans-serif; fill: #333; }
  .title { font-size: 16px; font-weight: bold; }
  .grid { stroke: #ccc; }
  .line { fill: none; stroke-width: 1.5; }
  .c0 { stroke: #0a5fb4; } .c1 { stroke: #c4420a; } .c2 { stroke: #2a7d2a; }
  .t0 { fill: #0a5fb4; } .t1 { fill: #c4420a; } .t2 { fill: #2a7d2a; }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd; }
    .grid { stroke: #444; }
    .c0 { stroke: #6db3ff; } .c1 { stroke: #ff9a6b; } .c2 { stroke: #86d986; }
    .t0 { fill: #6db3ff; } .t1 { fill: #ff9a6b; } .t2 { fill: #86d986; }
  }`;

/** @param unit of the values, such as `ms` */
export function draw(title: string, unit: string, lines: readonly Line[]): string {
  const seconds = Math.max(...lines.map(({ values }) => values.length), 2);
  const top = roundUp(Math.max(...lines.flatMap(({ values }) => values), 1));
  const x = (second: number): number =>
    EDGE.left + (second / (seconds - 1)) * (WIDTH - EDGE.left - EDGE.right);
  const y = (value: number): number =>
    HEIGHT - EDGE.bottom - (value / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${escape(title)}</title><style>${STYLE}</style>`,
    `<text class="title" x="${EDGE.left}" y="24">${escape(title)}</text>`,
  ];
  for (let step = 0; step <= STEPS; step++) {
    const value = (top / STEPS) * step;
    const second = Math.round(((seconds - 1) / STEPS) * step);
    const height = y(value).toFixed(1);
    parts.push(
      `<line class="grid" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${height}" y2="${height}"/>`,
      `<text x="${EDGE.left - 8}" y="${height}" dy="4" text-anchor="end">${number(value)}</text>`,
      `<text x="${x(second).toFixed(1)}" y="${HEIGHT - 14}" text-anchor="middle">${second} s</text>`,
    );
  }
  for (const [index, { name, values }] of lines.entries()) {
    const points = values.map((value, second) => `${x(second).toFixed(1)},${y(value).toFixed(1)}`);
    const most = number(Math.max(...values));
    parts.push(
      `<polyline class="line c${index}" points="${points.join(" ")}"/>`,
      `<text class="t${index}" x="${EDGE.left + 200 * index}" y="46">${escape(`${name}, at most ${most} ${unit}`)}</text>`,
    );
  }
  return `${[...parts, "</svg>"].join("\n")}\n`;
}

/** The next 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value)!;
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
