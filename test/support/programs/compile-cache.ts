// The directory in which all test processes keep compiled code, so that the second of them compiles nothing.
import { fileURLToPath } from "node:url";

export const compileCache = fileURLToPath(
  new URL("../../../node_modules/.cache/compiled-tests", import.meta.url),
);
