// Asserts that Postern did what nginx did, except for the known differences.
import assert from "node:assert/strict";
import { knownDifferences } from "./known-differences/index.ts";
import type { Transcript } from "./transcript.ts";

/** @param name `topic: script` */
export function compare(name: string, nginx: Transcript, postern: Transcript): void {
  let expected = nginx;
  for (const { reason, scripts, expected: rewrite } of knownDifferences) {
    if (scripts?.test(name) === false) continue;
    const rewritten = rewrite(expected);
    if (scripts !== undefined) {
      assert.notEqual(format(rewritten), format(expected), `nginx does not differ here: ${reason}`);
    }
    expected = rewritten;
  }
  assert.equal(format(postern), format(expected));
}

function format({ client, lookups, upstreams }: Transcript): string {
  return [
    "The client and the proxy:",
    ...client,
    ...lookups.flatMap((request) => ["", "A lookup:", ...request]),
    ...upstreams.flatMap((lines) => ["", "The upstream receives:", ...lines]),
  ].join("\n");
}
