/** The entry of the container: serves by the nginx.conf that is mounted, or else by the environment. */
"use strict";
const { existsSync } = require("node:fs");

const MOUNTED = "/etc/nginx/nginx.conf";
/** The name under which `config/` reads the environment. */
const ENVIRONMENT = "/environment";

const named = process.env.POSTERN_CONFIGURATION || null;
// In front of the container's own arguments: a `-c` among them comes later, and counts.
process.argv.splice(2, 0, "-c", named ?? (existsSync(MOUNTED) ? MOUNTED : ENVIRONMENT));
void import("./main.cjs");
