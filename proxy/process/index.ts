/** Processes: one primary, and the workers that do the work. */
export { Primary } from "./primary.ts";
export { runWorker } from "./worker-main.ts";
