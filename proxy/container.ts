/** The entry of the container: serves by the nginx.conf that is mounted, or else by what the environment says. */
import { existsSync } from "node:fs";
import { ENVIRONMENT } from "./config/index.ts";

const MOUNTED = "/etc/nginx/nginx.conf";

const named = process.env["POSTERN_CONFIGURATION"] || null;
// Before the container's own arguments: a `-c` among them comes later, and counts.
process.argv.splice(2, 0, "-c", named ?? (existsSync(MOUNTED) ? MOUNTED : ENVIRONMENT));
await import("./main.ts");
