/** This proxy's part in the fleet: it reports failing mail servers to the worker, and ends the sessions of kicked users. */
export { postReportsTo } from "./requests.ts";
export { FleetClient, type FleetHandler } from "./fleet-client.ts";
export { HealthReporter } from "./health-reporter.ts";
