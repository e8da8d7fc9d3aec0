/** The result, a line for each row. */
import type { Rival, Row, Target } from "./row.ts";

export type Figures = { readonly postern: number } & Partial<Readonly<Record<Rival, number>>>;

const WIDTHS = [46, 10, 8, 8, 8, 9, 9, 29];

export const heading = [
  line(["", "unit", "nginx", "floor", "Postern", "to nginx", "to floor", "target"]),
  "-".repeat(WIDTHS.reduce((sum, width) => sum + width + 1, 0) + 6),
].join("\n");

const NAMES = { nginx: "nginx", floor: "floor", oneWorker: "one worker" } as const;

export function rowLine({ name, unit, target }: Row, figures: Figures): string {
  const { nginx, floor, postern } = figures;
  const cells = [
    name,
    unit,
    figure(nginx),
    figure(floor),
    figure(postern),
    ratio(postern, nginx),
    ratio(postern, floor),
  ];
  if (target === null) return line([...cells, "-"]);
  return `${line([...cells, wish(target, figures)])} ${isMet(target, figures) ? "met" : "missed"}`;
}

/** Compared as printed, so that the verdict and the ratio beside it agree. */
function isMet(target: Target, figures: Figures): boolean {
  const value = share(target, figures);
  return "atMost" in target ? value <= target.atMost : value >= target.atLeast;
}

function share({ of }: Target, figures: Figures): number {
  if (of === null) return figures.postern;
  return Number((figures.postern / (figures[of] ?? Number.NaN)).toFixed(2));
}

/** With the ratio, where no column has it. */
function wish(target: Target, figures: Figures): string {
  const bound = "atMost" in target ? `<= ${target.atMost}` : `>= ${target.atLeast}`;
  if (target.of === null) return bound;
  const shown = target.of === "oneWorker" ? ` (${share(target, figures).toFixed(2)})` : "";
  return `${bound} of ${NAMES[target.of]}${shown}`;
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, index) => {
      const width = WIDTHS[index] ?? 0;
      return index < 2 || index === 7 ? cell.padEnd(width) : cell.padStart(width);
    })
    .join(" ");
}

function ratio(value: number, other: number | undefined): string {
  return other === undefined ? "-" : (value / other).toFixed(2);
}

function figure(value: number | undefined): string {
  if (value === undefined) return "-";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
