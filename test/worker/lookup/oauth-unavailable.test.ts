import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ONE_SERVER } from "../../support/worker/directory.ts";
import { type Harness, startHarness } from "../../support/worker/harness.ts";
import { startTokenProvider, type TokenProvider } from "../../support/http/token-provider.ts";

const passwordHash = "x";
let provider: TokenProvider;
before(async () => {
  provider = await startTokenProvider();
});
after(() => provider.close());

async function start(setting?: string): Promise<Harness & AsyncDisposable> {
  const worker = await startHarness({
    secrets: { LOOKUP_KEYS: "key", ...(setting !== undefined && { OAUTH_PROVIDERS: setting }) },
    seed: {
      ...ONE_SERVER,
      users: [{ address: "alice@example.test", group: "mail", server: "m1", passwordHash }],
    },
  });
  return { ...worker, [Symbol.asyncDispose]: () => worker.close() };
}

const XOAUTH2 = { "Auth-Method": "xoauth2" };

test("while an issuer's keys are unavailable a token is a temporary failure, and valid afterwards", async () => {
  await using worker = await start(JSON.stringify([provider.signing]));
  const token = await provider.sign();
  for (const trouble of [
    { status: 500, body: "" },
    { status: 200, body: "<html>" },
    { status: 200, body: "{}" },
  ]) {
    provider.trouble = trouble;
    const { status, auth } = await worker.ask({ ...XOAUTH2, "Auth-Pass": token });
    assert.equal(status, 503);
    assert.match(auth["auth-status"]!, /UNAVAILABLE/);
  }
  provider.trouble = null;
  const { auth } = await worker.ask({ ...XOAUTH2, "Auth-Pass": token });
  assert.equal(auth["auth-status"], "OK");
  assert.match(worker.logs(), /the keys of http:[^"]* cannot be fetched/);
});

test("the keys are requested once, even for tokens that name others", async () => {
  await using worker = await start(JSON.stringify([provider.signing]));
  provider.requests.length = 0;
  for (let n = 0; n < 5; n++) {
    const token = await provider.sign({ jti: `${n}` }, { header: n > 2 ? { kid: `../${n}` } : {} });
    await worker.ask({ ...XOAUTH2, "Auth-Pass": token });
  }
  assert.equal(provider.requests.length, 1);
});

test("without a provider tokens are refused, and the log names the setting once", async () => {
  await using worker = await start();
  for (let n = 0; n < 3; n++) {
    const { status, auth } = await worker.ask({ ...XOAUTH2, "Auth-Pass": await provider.sign() });
    assert.equal(status, 200);
    assert.match(auth["auth-status"]!, /AUTHENTICATIONFAILED/);
    assert.equal(auth["auth-error-sasl"], undefined);
  }
  assert.equal(worker.logs().match(/set OAUTH_PROVIDERS/g)?.length, 1);
});

test("an invalid setting is a temporary failure, and is not quoted", async () => {
  await using worker = await start('[{"secret": "canary"');
  const { status } = await worker.ask({ ...XOAUTH2, "Auth-Pass": await provider.sign() });
  assert.equal(status, 503);
  assert.match(worker.logs(), /OAUTH_PROVIDERS is not JSON/);
  assert.doesNotMatch(worker.logs(), /canary/);
});
