/**
 * What this proxy has to do with the others: it tells the worker which mail servers fail, and hears whose sessions
 * are to end.
 */
export { postReportsTo } from "./requests.ts";
export { type FleetHandler, FleetClient } from "./fleet-client.ts";
export { HealthReporter } from "./health-reporter.ts";
