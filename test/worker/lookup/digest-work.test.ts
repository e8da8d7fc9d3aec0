/** APOP and CRAM-MD5 do the same work for every name. The work is counted, since a time proves nothing. */
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import type { UserEntry } from "../../../worker/directory/users.ts";
import { apop, cramMd5 } from "../../../worker/lookup/methods/digest.ts";
import type { MethodContext, ParsedCredentials } from "../../../worker/lookup/methods/verifier.ts";
import { readKeys } from "../../../worker/secrets/index.ts";
import { SEALING } from "../../support/worker/directory.ts";

const keys = readKeys(SEALING)!;
const address = "alice@example.test";
const ownSecret = await keys.seal("wonderland", { user: address, purpose: "own" });
const user = { address, enabled: true, imap: true, pop3: true, smtp: true };
const entryOf = (entry: Partial<UserEntry>) => ({ user, ownSecret, ...entry }) as UserEntry;

const ENTRIES: Record<string, UserEntry | null> = {
  "a user with a sealed password": entryOf({}),
  "a user without a sealed password": entryOf({ ownSecret: null }),
  "an unknown user": null,
};

const decrypt = mock.method(crypto.subtle, "decrypt");
const importKey = mock.method(crypto.subtle, "importKey");
beforeEach(async () => {
  await keys.openDummy();
  decrypt.mock.resetCalls();
  importKey.mock.resetCalls();
});

const credentials: ParsedCredentials = {
  protocol: "pop3",
  login: address,
  proof: new TextEncoder().encode("0".repeat(32)),
  salt: "<1@example.test>",
  certificate: null,
};
const client = { networks: [], trust: "unknown" } as const;

for (const [name, method] of Object.entries({ APOP: apop, "CRAM-MD5": cramMd5 })) {
  for (const [what, entry] of Object.entries(ENTRIES)) {
    test(`a wrong digest of ${name} for ${what} opens one sealed text, and counts as a failure`, async () => {
      const verifier = await method(credentials, { keys: () => keys } as MethodContext);
      const verdict = await verifier.verify(entry, client);
      assert.deepEqual(verdict, { kind: "refused", reason: "wrong-credentials" });
      assert.equal(decrypt.mock.callCount(), 1);
      assert.equal(importKey.mock.callCount(), 1);
    });
  }
}
