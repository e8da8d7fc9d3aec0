/** Processes: one primary, and the workers that do the work. */
export { checkStart } from "./check.ts";
export { carryOut } from "./control/index.ts";
export { letGoOfTerminal, startDaemon, tellStarted } from "./daemon.ts";
export { isDaemon, isSuccessor } from "./origin.ts";
export { readPid, signalPid } from "./pid-file.ts";
export { Primary } from "./primary.ts";
export { checkResources } from "./resources.ts";
export { runWorker } from "./worker-main.ts";
