// Of wrangler.toml's environments, what wrangler does not check: they inherit neither bindings nor variables.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Unstable_Config, unstable_readConfig } from "wrangler";

const production: Unstable_Config = unstable_readConfig({ config: "wrangler.toml" });
const staging: Unstable_Config = unstable_readConfig({ config: "wrangler.toml", env: "staging" });

/** The names by which the worker knows what it is given. */
function names(config: Unstable_Config): string[] {
  const { d1_databases, durable_objects, analytics_engine_datasets, vars, secrets } = config;
  return [
    ...[...d1_databases, ...analytics_engine_datasets].map(({ binding }) => binding),
    ...durable_objects.bindings.map(({ name }) => name),
    ...Object.keys(vars),
    ...(secrets?.required ?? []),
  ].toSorted();
}

/** What would be changed for both, if both had it. */
function resources(config: Unstable_Config): (string | undefined)[] {
  const { name, d1_databases, analytics_engine_datasets } = config;
  return [
    name,
    ...d1_databases.flatMap(({ database_id, database_name }) => [database_id, database_name]),
    ...analytics_engine_datasets.map(({ dataset }) => dataset),
  ];
}

test("staging is given all that production is", () => {
  assert.deepEqual(names(staging), names(production));
});

test("staging shares nothing with production that either writes to", () => {
  const its = resources(staging);
  assert.deepEqual(
    resources(production).filter((resource) => its.includes(resource)),
    [],
  );
});

test("staging has the objects, the schedule and the place of production", () => {
  for (const key of ["main", "migrations", "triggers", "placement", "observability"] as const) {
    assert.deepEqual(staging[key], production[key]);
  }
});
