/** What this proxy has to do with the others: it tells the worker which mail servers fail. */
export { tellFleet } from "./endpoint.ts";
export { Reporter } from "./reporter.ts";
