/**
 * What this proxy has to do with the others: it tells the worker which mail servers fail, and hears whose sessions
 * are to end.
 */
export { tellFleet } from "./requests.ts";
export { type Host, Live } from "./fleet-client.ts";
export { Reporter } from "./health-reporter.ts";
