/** Loads all that a start loads, so that an image that cannot be written to holds it compiled. */
await Promise.all([import("./cli.ts"), import("./process/worker/main.ts")]);
