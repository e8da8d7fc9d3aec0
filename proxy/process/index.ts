/** Processes: one primary, and the workers that do the work. */
export { checkStart } from "./primary/check.ts";
export { carryOut } from "./control/index.ts";
export { letGoOfTerminal, startDaemon, tellStarted } from "./os/daemon.ts";
export { isDaemon, isSuccessor } from "./os/launch-environment.ts";
export { readPid, signalPid } from "./os/pid-file.ts";
export { Primary } from "./primary/primary.ts";
export { checkResources } from "./os/limits.ts";
