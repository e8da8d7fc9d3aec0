// wrangler.toml's environments inherit neither bindings nor variables, and wrangler does not check that.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Unstable_Config, unstable_readConfig } from "wrangler";

const production: Unstable_Config = unstable_readConfig({ config: "wrangler.toml" });
const staging: Unstable_Config = unstable_readConfig({ config: "wrangler.toml", env: "staging" });

/** The names of all bindings, variables and secrets. */
function names(config: Unstable_Config): string[] {
  const { d1_databases, durable_objects, analytics_engine_datasets, vars, secrets } = config;
  return [
    ...[...d1_databases, ...analytics_engine_datasets].map(({ binding }) => binding),
    ...durable_objects.bindings.map(({ name }) => name),
    ...Object.keys(vars),
    ...(secrets?.required ?? []),
  ].toSorted();
}

/** The resources that two environments must not share. */
function resources(config: Unstable_Config): (string | undefined)[] {
  const { name, d1_databases, analytics_engine_datasets } = config;
  return [
    name,
    ...d1_databases.flatMap(({ database_id, database_name }) => [database_id, database_name]),
    ...analytics_engine_datasets.map(({ dataset }) => dataset),
  ];
}

test("staging has all bindings, variables and secrets of production", () => {
  assert.deepEqual(names(staging), names(production));
});

test("staging shares no resource with production", () => {
  const ofStaging = resources(staging);
  assert.deepEqual(
    resources(production).filter((resource) => ofStaging.includes(resource)),
    [],
  );
});

test("staging has the Durable Objects, schedule and placement of production", () => {
  for (const key of ["main", "migrations", "triggers", "placement", "observability"] as const) {
    assert.deepEqual(staging[key], production[key]);
  }
});
