/** What Postern tells of itself. */
export { AccessLog } from "./access-log.ts";
export { ErrorLog } from "./error-log.ts";
export { Sinks } from "./sinks.ts";
