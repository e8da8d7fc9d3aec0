// The verdict on a script: Postern did what nginx did, but for the known differences.
import assert from "node:assert/strict";
import { knownDifferences } from "./known-differences/index.ts";
import type { Transcript } from "./transcript.ts";

/** @param name of the script, with its topic */
export function compare(name: string, nginx: Transcript, postern: Transcript): void {
  let expected = nginx;
  for (const { reason, scripts, expected: rewrite } of knownDifferences) {
    if (scripts?.test(name) === false) continue;
    const rewritten = rewrite(expected);
    if (scripts !== undefined) {
      assert.notEqual(told(rewritten), told(expected), `nginx does not differ here: ${reason}`);
    }
    expected = rewritten;
  }
  assert.equal(told(postern), told(expected));
}

function told({ client, lookups, upstreams }: Transcript): string {
  return [
    "The client and the proxy:",
    ...client,
    ...lookups.flatMap((request) => ["", "A lookup:", ...request]),
    ...upstreams.flatMap((lines) => ["", "The upstream hears:", ...lines]),
  ].join("\n");
}
