// The dashboard and the alert rules: they load, and ask for nothing that Postern does not tell.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";
import { parse } from "yaml";
import { RejectionCounts } from "../../../proxy/limits/index.ts";
import { RetiredCounts, PrimaryMetrics, WorkerMetrics } from "../../../proxy/observe/index.ts";
import { configure, mailBlock } from "../../support/proxy/configuration.ts";
import { type Sample, parseMetrics } from "../../support/programs/status.ts";

type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
};
type Rules = { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
type Panel = {
  readonly id: number;
  readonly title: string;
  readonly targets: readonly { readonly expr: string; readonly refId: string }[];
};
type Dashboard = {
  readonly title: string;
  readonly uid: string;
  readonly panels: readonly Panel[];
};

const file = (name: string): Promise<string> =>
  readFile(new URL(`../../../proxy/deploy/${name}`, import.meta.url), "utf8");

const rules = (parse(await file("alerts.yaml")) as Rules).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(await file("grafana.json")) as Dashboard;

let names: ReadonlySet<string>;
let samples: readonly Sample[];

before(async () => {
  const settings = configure(mailBlock(""));
  const worker = new WorkerMetrics({
    sessions: () => [],
    aside: () => [],
    refused: () => new RejectionCounts().counts,
    lost: () => ({ access: 0, error: 0 }),
  });
  const primary = new PrimaryMetrics(
    () => settings,
    () => "connected",
    () => ({ access: 0, error: 0 }),
    false,
  );
  const text = await new RetiredCounts().expose([worker.snapshot(), primary.snapshot()]);
  samples = parseMetrics(text);
  const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  names = new Set(
    families.flatMap(([, name = "", type]) =>
      type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
});

/** Every metric in an expression is there, and so are the labels' values that it asks for. */
function holds(expression: string): void {
  const asked = [...expression.matchAll(/\b(postern_\w+)(?:\{([^}]*)\})?/g)];
  assert.ok(asked.length > 0, expression);
  for (const [, name = "", matchers = ""] of asked) {
    assert.ok(names.has(name), `${name} in ${expression}`);
    const equal = [...matchers.matchAll(/(\w+)="([^"]*)"/g)];
    if (equal.length === 0) continue;
    const found = samples.some(
      (sample) =>
        sample.name === name &&
        equal.every(([, label = "", value]) => sample.labels[label] === value),
    );
    assert.ok(found, `${name}{${matchers}}`);
  }
}

test("every alert uses metrics of Postern, and describes the problem", () => {
  assert.ok(rules.length > 5);
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, expr, for: time = "0s", labels, annotations } of rules) {
    assert.match(alert, /^Postern[A-Z]/);
    holds(expr);
    assert.match(time, /^\d+[smh]$/);
    assert.match(labels.severity, /^(?:critical|warning)$/);
    assert.ok(annotations.summary !== "" && annotations.description !== "");
  }
});

test("every panel of the dashboard uses metrics of Postern", () => {
  assert.equal(dashboard.uid, "postern");
  assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  for (const { targets } of dashboard.panels) for (const { expr } of targets) holds(expr);
});

test("every metric of Postern is on the dashboard", () => {
  const shown = dashboard.panels
    .flatMap(({ targets }) => targets.map(({ expr }) => expr))
    .join("\n");
  const families = [...names].map((name) => name.replace(/_(?:bucket|sum|count)$/, ""));
  assert.deepEqual(
    families.filter((name) => !shown.includes(name)),
    [],
  );
});
