import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ALICE, type Harness, startHarness } from "../../support/worker/harness.ts";
import { fetchAnew } from "../../support/http/http.ts";

let worker: Harness;
before(async () => {
  worker = await startHarness();
});
after(() => worker.close());

const MALFORMED: Record<string, [headers: Record<string, string | undefined>, told: string]> = {
  "no method": [{ "Auth-Method": undefined }, "Auth-Method is missing"],
  "an empty method": [{ "Auth-Method": "" }, "Auth-Method is unknown"],
  "an unknown method": [{ "Auth-Method": "ntlm" }, "Auth-Method is unknown"],
  "a method in capitals": [{ "Auth-Method": "PLAIN" }, "Auth-Method is unknown"],
  "a method that is a property of every object": [
    { "Auth-Method": "constructor" },
    "Auth-Method is unknown",
  ],
  "a client of IMAP who need not log in": [
    { "Auth-Method": "none", "Auth-SMTP-To": "RCPT TO:<alice@example.test>" },
    "Auth-Method none is for SMTP alone",
  ],
  "no protocol": [{ "Auth-Protocol": undefined }, "Auth-Protocol is missing"],
  "an unknown protocol": [{ "Auth-Protocol": "http" }, "Auth-Protocol is unknown"],
  "two protocols": [{ "Auth-Protocol": "imap, smtp" }, "Auth-Protocol is unknown"],
  "no user": [{ "Auth-User": undefined }, "Auth-User is missing"],
  "no password": [{ "Auth-Pass": undefined }, "Auth-Pass is missing"],
  "two users": [
    { "Auth-User": "alice@example.test, alice@example.test" },
    "Auth-User is there twice, or not escaped",
  ],
  "two passwords": [
    { "Auth-Pass": "wonderland, wonderland" },
    "Auth-Pass is there twice, or not escaped",
  ],
  "a blank that is not escaped": [
    { "Auth-Pass": "wonder\tland" },
    "Auth-Pass is there twice, or not escaped",
  ],
  "half a percent-escape": [{ "Auth-Pass": "50%2" }, "Auth-Pass holds a broken percent-escape"],
  "a percent sign alone": [{ "Auth-User": "100%" }, "Auth-User holds a broken percent-escape"],
  "a percent-escape of letters": [
    { "Auth-Pass": "%zz" },
    "Auth-Pass holds a broken percent-escape",
  ],
  "raw bytes that are no UTF-8 in the password": [
    { "Auth-Pass": "wonderl\xe4nd" },
    "Auth-Pass is not UTF-8",
  ],
  "raw bytes that are no UTF-8 in the user": [
    { "Auth-User": "m\xe4rz@example.test" },
    "Auth-User is not UTF-8",
  ],
  "escaped bytes that are no UTF-8 in the user": [
    { "Auth-User": "m%E4rz@example.test" },
    "Auth-User is not UTF-8",
  ],
  "a carriage return in the password": [{ "Auth-Pass": "a%0Db" }, "Auth-Pass holds CR, LF or NUL"],
  "a line feed in the password": [{ "Auth-Pass": "a%0ab" }, "Auth-Pass holds CR, LF or NUL"],
  "a NUL in the password": [{ "Auth-Pass": "wonderland%00" }, "Auth-Pass holds CR, LF or NUL"],
  "a line feed in the user": [
    { "Auth-User": "alice@example.test%0A" },
    "Auth-User holds CR, LF or NUL",
  ],
  "a client that is two": [{ "Client-IP": "192.0.2.1, 192.0.2.2" }, "Client-IP is no address"],
  "a client by name": [{ "Client-IP": "localhost" }, "Client-IP is no address"],
  "attempt zero": [{ "Auth-Login-Attempt": "0" }, "Auth-Login-Attempt is no number"],
  "a negative attempt": [{ "Auth-Login-Attempt": "-1" }, "Auth-Login-Attempt is no number"],
  "an attempt in words": [{ "Auth-Login-Attempt": "first" }, "Auth-Login-Attempt is no number"],
  "an attempt beyond all bounds": [
    { "Auth-Login-Attempt": "9".repeat(400) },
    "Auth-Login-Attempt is no number",
  ],
};

for (const [flaw, [headers, told]] of Object.entries(MALFORMED)) {
  test(`a lookup with ${flaw} is answered 400 with the reason, and without a header that nginx reads`, async () => {
    const { status, auth, body } = await worker.ask(headers);
    assert.equal(status, 400);
    assert.deepEqual(auth, {});
    assert.equal(body, `${told}\n`);
  });
}

test("a lookup with another method than GET is answered 405, without a header that nginx reads", async () => {
  for (const path of ["/auth", "/cgi-bin/nginxauth.cgi"]) {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const { status, headers } = await fetchAnew(new URL(path, worker.url), {
        method,
        headers: ALICE,
      });
      assert.equal(status, 405);
      assert.equal(headers.get("allow"), "GET");
      assert.equal(headers.get("auth-status"), null);
    }
  }
});

test("the reason contains no value of the lookup", async () => {
  const { body } = await worker.ask({ "Auth-Pass": "canary%", "Auth-User": "canary" });
  assert.doesNotMatch(body, /canary/);
});

for (const client of [undefined, "unix:", "fe80::1%eth0", "::ffff:192.0.2.1"]) {
  test(`a client at ${client} is well-formed`, async () => {
    assert.notEqual((await worker.ask({ "Client-IP": client })).status, 400);
  });
}
