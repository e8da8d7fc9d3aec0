// The result, a line a scenario.
import type { Comparison } from "./compare.ts";
import type { Target } from "./scenario.ts";

const widths = [46, 10, 9, 9, 7, 13, 9];

export const heading = [
  row(["", "", "nginx", "Postern", "ratio", "of rounds", "target"]),
  "-".repeat(widths.reduce((sum, width) => sum + width + 1, 0)),
].join("\n");

export function line({ scenario, nginx, postern, ratio, least, most }: Comparison): string {
  const { name, unit, target } = scenario;
  const cells = [name, unit, figure(nginx), figure(postern), ratio.toFixed(2)];
  const range = `${least.toFixed(2)}-${most.toFixed(2)}`;
  if (target === null) return row([...cells, range, ""]);
  return `${row([...cells, range, wish(target)])}${met(ratio, target) ? "" : "  missed"}`;
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell, index) =>
      index < 2 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
    )
    .join(" ");
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function wish(target: Target): string {
  return "atMost" in target ? `<= ${target.atMost.toFixed(2)}` : `>= ${target.atLeast.toFixed(2)}`;
}

function met(ratio: number, target: Target): boolean {
  return "atMost" in target ? ratio <= target.atMost : ratio >= target.atLeast;
}
