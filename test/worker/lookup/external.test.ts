import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ONE_SERVER, SEALING } from "../../support/worker/directory.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";

const passwordHash = "x";
const SUBJECT = "CN=alice@example.test,O=Example\\, Inc.";
const ISSUER = "CN=root,O=Example\\, Inc.";
const FINGERPRINT = "0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33";
const shown = { "Auth-SSL": "on", "Auth-SSL-Verify": "SUCCESS" };
const bySubject = {
  ...shown,
  "Auth-SSL-Subject": SUBJECT,
  "Auth-SSL-Issuer": ISSUER,
  "Auth-SSL-Fingerprint": "00",
};
const byFingerprint = { ...shown, "Auth-SSL-Subject": "CN=x", "Auth-SSL-Fingerprint": FINGERPRINT };

let worker: Harness;
before(async () => {
  const row = { group: "mail", server: "m1", passwordHash };
  const user = "alice@example.test";
  worker = await startHarness({
    vars: { FAILURES_PER_ACCOUNT: "1000", FAILURES_PER_NETWORK: "1000" },
    secrets: { LOOKUP_KEYS: "key", SECRET_KEYS: SEALING },
    seed: {
      ...ONE_SERVER,
      users: [
        { address: user, ...row },
        { address: "bob@example.test", ...row },
        { address: "card@example.test", ...row },
        { address: "off@example.test", ...row, enabled: false },
      ],
      aliases: [{ address: "al@example.test", user }],
      certificates: [
        { user, kind: "subject", value: SUBJECT, issuer: ISSUER },
        { user, kind: "fingerprint", value: FINGERPRINT },
        { user, kind: "subject", value: "CN=\u{FFFD}", issuer: ISSUER },
        { user, kind: "subject", value: "CN=bad issuer", issuer: "CN=\u{FFFD}" },
        { user, kind: "subject", value: "CN=from before" },
        { user: "card@example.test", kind: "subject", value: "CN=card", issuer: ISSUER },
        { user: "off@example.test", kind: "subject", value: SUBJECT, issuer: ISSUER },
      ],
      secrets: [{ user, purpose: "own", secret: "wonderland" }],
    },
  });
});
after(() => worker.close());

const logIn = (headers: Record<string, string>) =>
  worker.ask({ "Auth-Method": "external", "Auth-Pass": "", ...headers });

for (const [what, certificate] of Object.entries({ bySubject, byFingerprint })) {
  test(`a certificate bound to the user logs them in: ${what}`, async () => {
    const { auth } = await logIn(certificate);
    assert.equal(auth["auth-status"], "OK");
    assert.equal(auth["auth-pass"], "wonderland");
    const alias = await logIn({ ...certificate, "Auth-User": "al@example.test" });
    assert.equal(alias.auth["auth-user"], "alice@example.test");
  });
}

test("a fingerprint may be in capitals", async () => {
  const certificate = { ...byFingerprint, "Auth-SSL-Fingerprint": FINGERPRINT.toUpperCase() };
  assert.equal((await logIn(certificate)).auth["auth-status"], "OK");
});

test("all other certificates are refused", async () => {
  const cases: Record<string, Record<string, string>> = {
    "no certificate": {},
    "an unverified certificate": { ...bySubject, "Auth-SSL-Verify": "NONE" },
    "an invalid certificate": { ...bySubject, "Auth-SSL-Verify": "FAILED:self-signed certificate" },
    "a verdict in another case": { ...bySubject, "Auth-SSL-Verify": "success" },
    "another user's certificate": { ...bySubject, "Auth-User": "bob@example.test" },
    "an unknown user": { ...bySubject, "Auth-User": "nobody@example.test" },
    "an empty name": { ...bySubject, "Auth-User": "" },
    "another subject": { ...bySubject, "Auth-SSL-Subject": `${SUBJECT},C=XX` },
    "a subject in another case": { ...bySubject, "Auth-SSL-Subject": SUBJECT.toLowerCase() },
    "the subject by another issuer": { ...bySubject, "Auth-SSL-Issuer": "CN=evil" },
    "the subject by an issuer in another case": {
      ...bySubject,
      "Auth-SSL-Issuer": ISSUER.toLowerCase(),
    },
    "the subject by an unknown issuer": { ...shown, "Auth-SSL-Subject": SUBJECT },
    "the subject by itself": { ...bySubject, "Auth-SSL-Issuer": SUBJECT },
    "a subject that is bound to no issuer": { ...bySubject, "Auth-SSL-Subject": "CN=from before" },
    "a subject that is bound to no issuer, from none": {
      ...shown,
      "Auth-SSL-Subject": "CN=from before",
    },
    "a subject that is bound to no issuer, from an empty one": {
      ...shown,
      "Auth-SSL-Subject": "CN=from before",
      "Auth-SSL-Issuer": "",
    },
    "an issuer that is not UTF-8": {
      ...shown,
      "Auth-SSL-Subject": "CN=bad issuer",
      "Auth-SSL-Issuer": "CN=\u00ff",
    },
    "a fingerprint as a subject": { ...shown, "Auth-SSL-Subject": FINGERPRINT },
    "a subject that is not UTF-8": { ...shown, "Auth-SSL-Subject": "CN=\u00ff" },
    "neither subject nor fingerprint": shown,
    "a disabled user": { ...bySubject, "Auth-User": "off@example.test" },
  };
  for (const [index, [what, headers]] of Object.entries(cases).entries()) {
    const { status, auth } = await logIn({ "Client-IP": `198.51.100.${index}`, ...headers });
    assert.equal(status, 200, what);
    assert.match(auth["auth-status"]!, /AUTHENTICATIONFAILED/, what);
  }
});

test("without a kept password the user can log in only to SMTP", async () => {
  const card = { ...bySubject, "Auth-SSL-Subject": "CN=card", "Auth-User": "card@example.test" };
  assert.equal((await logIn(card)).status, 503);
  assert.match(worker.logs(), /no own secret of card@example.test is kept/);
  const { auth } = await logIn({ ...card, "Auth-Protocol": "smtp" });
  assert.equal(auth["auth-status"], "OK");
  assert.equal(auth["auth-pass"], undefined);
});
