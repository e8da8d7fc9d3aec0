/**
 * What this proxy has to do with the others: it tells the worker which mail servers fail, and hears whose sessions
 * are to end.
 */
export { tellFleet } from "./endpoint.ts";
export { type Host, Live } from "./live.ts";
export { Reporter } from "./reporter.ts";
