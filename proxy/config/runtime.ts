/** The parts of the configuration that running processes need. A worker that loads this file loads no parser. */
export { errorLines } from "./language/error.ts";
export { openFailed } from "./language/files.ts";
export { identityOf, isRoot } from "./modules/core/user.ts";
export { LOG_LEVELS } from "./modules/log/log-level.ts";
export { trusts } from "./modules/mail/realip.ts";
