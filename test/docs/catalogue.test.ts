// The documentation lists every directive, log variable and metric that the code has, and no other.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LOG_VARIABLES } from "../../proxy/config/modules/log/log-format.ts";
import { directives as known } from "../../proxy/config/directives.ts";
import { RejectionCounts } from "../../proxy/limits/index.ts";
import { PrimaryMetrics, RetiredCounts, WorkerMetrics } from "../../proxy/observe/index.ts";
import { configure, mailBlock } from "../support/proxy/configuration.ts";
import { readPage } from "./pages.ts";

const directives = readPage("docs/configuration.md");
const logs = readPage("docs/metrics-and-logs.md");

test("docs/configuration.md has every directive that Postern knows", () => {
  const missing = known.names.filter((name) => !new RegExp(`\`${name}[ \`]`).test(directives));
  assert.deepEqual(missing, []);
});

test("docs/configuration.md has no directive that Postern does not know", () => {
  const listed = [...directives.matchAll(/`([a-z]+_[a-z_0-9]+)[ `]/g)];
  assert.ok(listed.length > 50);
  const unknown = listed.map(([, name = ""]) => name).filter((name) => !known.names.includes(name));
  assert.deepEqual(unknown, []);
});

test("docs/metrics-and-logs.md has the variables of log_format, and no other", () => {
  const rows = logs.match(/^\| `\$\w+`.*$/gm) ?? [];
  const listed = rows.flatMap((row) =>
    [...row.matchAll(/`\$(\w+)`/g)].map(([, name = ""]) => name),
  );
  assert.deepEqual(listed.toSorted(), [...LOG_VARIABLES].toSorted());
});

test("docs/metrics-and-logs.md has the metrics of /metrics, and no other", async () => {
  const settings = configure(mailBlock(""));
  const lost = () => ({ access: 0, error: 0 });
  const worker = new WorkerMetrics({
    sessions: () => [],
    aside: () => [],
    refused: () => new RejectionCounts().counts,
    lost,
  });
  const primary = new PrimaryMetrics(
    () => settings,
    () => "connected",
    lost,
    false,
  );
  const text = await new RetiredCounts().expose([worker.snapshot(), primary.snapshot()]);
  const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name);
  const rows = logs.match(/^\| `postern_\w+`.*$/gm) ?? [];
  const listed = rows.flatMap((row) => row.match(/postern_\w+/g) ?? []);
  assert.deepEqual(listed.toSorted(), families.toSorted());
});
