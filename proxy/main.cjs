/**
 * The entry, in JavaScript; `main.ts` is a link to it. `node proxy/main.ts` therefore runs under every Node:
 * an old one says what is needed, and a new one loads its type stripper (12 MB, 30 ms of CPU) only for files
 * that the compile cache does not hold.
 */
"use strict";

/** The first Node that has all that Postern uses. */
const OLDEST = 26;

if (Number.parseInt(process.versions.node, 10) < OLDEST) {
  process.stderr.write(
    `postern: Node ${process.version} is too old, Postern needs Node ${OLDEST}: ` +
      "`npm install` brings it along, and `npx node proxy/main.ts` starts it\n",
  );
  process.exit(1);
}

require("./compile-cache.cjs").enable();
const { isWorker } = require("node:cluster");
void import(isWorker ? "./process/worker/main.ts" : "./cli/main.ts").then(({ main }) => main());
