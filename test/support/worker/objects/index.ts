/** Our durable objects, for a test: called as the worker calls them, and looked into. */
export { TestFleet } from "./fleet.ts";
export { TestCounters } from "./counters.ts";
export { TestObjects } from "./objects.ts";

/** To be added to the workers of a harness that runs ours. */
export const CALLER = {
  config: {
    name: "caller",
    main: "test/support/worker/objects/caller.ts",
    compatibility_date: "2026-07-30",
    durable_objects: {
      bindings: [
        { name: "PENALTIES", class_name: "Penalties", script_name: "postern" },
        { name: "FLEET", class_name: "Fleet", script_name: "postern" },
      ],
    },
  },
};
