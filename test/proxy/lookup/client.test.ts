import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LookupClient, type LookupReply, type LookupRequest } from "../../../proxy/lookup/index.ts";
import { eventually } from "../../support/eventually.ts";
import { InvalidReply } from "../../../proxy/lookup/reply.ts";
import { lookUp, lookupRequest, lookupSettings } from "../../support/proxy/lookup-request.ts";
import { ScriptedEndpoint, cannotTell, no, yes } from "../../support/peers/scripted-endpoint.ts";
import { inputs } from "../../support/property.ts";

const neverAborted = new AbortController().signal;

/** Creates a lookup client of a scripted endpoint; its clock moves only when a test sets the time with `at`. */
function createClient(
  endpoint: ScriptedEndpoint,
  {
    entries = 100,
    patience = 60_000,
    timeout = 60_000,
  }: { entries?: number | null; patience?: number; timeout?: number } = {},
) {
  let now = 0;
  const settings = lookupSettings({
    auth_http_timeout: timeout,
    auth_http_header: ["X-Auth-Key: k"],
    auth_http_cache: entries === null ? null : { entries },
  });
  const lookupClient = new LookupClient(endpoint, settings, { patience, now: () => now });
  return {
    lookupClient,
    ask: (changes: Partial<LookupRequest> = {}, signal = neverAborted) =>
      lookUp(lookupClient, lookupRequest(changes), signal),
    /** @param seconds since the start of the test */
    at: (seconds: number) => {
      now = seconds * 1000;
    },
  };
}

function plainLogin(login: string, password = "s3cret"): Partial<LookupRequest> {
  return { credentials: { method: "plain", login, password } };
}

/** The reply's kind; a route from the cache is `remembered`, or `stale` if it stands in for a failed lookup. */
function kind(answer: LookupReply): string {
  if (answer.kind !== "route" || answer.remembered === null) return answer.kind;
  return answer.remembered.instead === null ? "remembered" : "stale";
}

describe("lookups at the same time", () => {
  for (const entries of [null, 100]) {
    const name = entries === null ? "without a cache" : "with a cache";
    test(`equal lookups share one request ${name}`, async () => {
      const endpoint = new ScriptedEndpoint();
      const { ask } = createClient(endpoint, { entries });
      const all = Array.from({ length: 5 }, () => ask());
      assert.equal(endpoint.asked.length, 1);
      endpoint.asked[0]!.answer(yes());
      for (const answer of await Promise.all(all)) assert.equal(kind(answer), "route");
    });
  }

  test("lookups that differ in login, password, client, protocol or attempt send a request each", () => {
    const endpoint = new ScriptedEndpoint();
    const { ask } = createClient(endpoint);
    const variants = [
      {},
      plainLogin("anna", "S3cret"),
      plainLogin("Anna"),
      { client: "192.0.2.8" },
      { protocol: "pop3" as const },
      { attempt: 2 },
    ];
    for (const variant of [...variants, ...variants]) {
      ask(variant).catch(() => {});
    }
    assert.equal(endpoint.asked.length, variants.length);
  });

  test("a shared request goes on while one caller waits, and is cancelled when the last caller leaves", async () => {
    const endpoint = new ScriptedEndpoint();
    const { ask } = createClient(endpoint);
    const leaving = [new AbortController(), new AbortController()] as const;
    const [first, second] = leaving.map(({ signal }) => ask({}, signal));
    leaving[0].abort(new Error("left"));
    await assert.rejects(first!, /left/);
    assert.equal(endpoint.asked[0]?.cancelled, false);
    leaving[1].abort(new Error("left too"));
    await assert.rejects(second!, /left too/);
    assert.equal(endpoint.asked[0]?.cancelled, true);
  });

  test("callers do not share an answer that holds a password, because the password may be valid once", async () => {
    const endpoint = new ScriptedEndpoint();
    const { ask } = createClient(endpoint);
    const all = Promise.all([ask(), ask(), ask()]);
    endpoint.answers = () => yes({ password: `${endpoint.asked.length}` });
    endpoint.asked[0]!.answer(yes({ password: "1" }));
    const passwords = (await all).map((answer) => answer.kind === "route" && answer.password);
    assert.deepEqual(passwords, ["1", "2", "3"]);
  });

  test("lookups without credentials, as for an SMTP recipient, send a request each", () => {
    const endpoint = new ScriptedEndpoint();
    const { ask } = createClient(endpoint);
    const credentials = { method: "none", helo: "h", from: "f", to: "t" } as const;
    for (let count = 0; count < 3; count++) ask({ credentials }).catch(() => {});
    assert.equal(endpoint.asked.length, 3);
  });
});

test("an answer is reused while it is fresh, refreshed afterwards, and served stale while the endpoint fails", async () => {
  const endpoint = new ScriptedEndpoint(() => yes());
  const { ask, at } = createClient(endpoint);
  assert.equal(kind(await ask()), "route");
  at(29.9);
  assert.equal(kind(await ask({ attempt: 3 })), "remembered");
  at(30);
  assert.equal(kind(await ask()), "route");
  assert.equal(endpoint.asked.length, 2);
  endpoint.answers = () => cannotTell();
  at(59.9);
  assert.equal(kind(await ask()), "remembered");
  at(60);
  const stale = await ask();
  assert.deepEqual(stale, yes({ remembered: { instead: "is away" } }));
  at(659.9);
  assert.equal(kind(await ask()), "stale");
  at(660.1);
  assert.equal(kind(await ask()), "unavailable");
  endpoint.answers = () => yes();
  assert.equal(kind(await ask()), "route");
});

test("a refusal removes the cached answer, so that no outage brings the answer back", async () => {
  const endpoint = new ScriptedEndpoint(() => yes());
  const { ask, at } = createClient(endpoint);
  await ask();
  at(31);
  endpoint.answers = no;
  assert.equal(kind(await ask()), "refused");
  endpoint.answers = () => cannotTell();
  assert.equal(kind(await ask()), "unavailable");
});

test("an answer that may not be cached removes the cached answer", async () => {
  const endpoint = new ScriptedEndpoint(() => yes());
  const { ask, at } = createClient(endpoint);
  await ask();
  at(31);
  endpoint.answers = () => yes({ freshness: null });
  await ask();
  endpoint.answers = () => cannotTell();
  assert.equal(kind(await ask()), "unavailable");
});

describe("the cache stores only reusable answers", () => {
  const bearer = { method: "oauthbearer", login: "anna", token: "t" } as const;
  const digest = { login: "anna", salt: "<1@x>", digest: "d" };
  const ANSWERS: Record<string, () => LookupReply> = {
    "a refusal": no,
    "an answer that asks the client to wait": () => ({ kind: "wait", wait: 1 }),
    "a failure that the endpoint reports": () => cannotTell(false),
    "a route with a password": () => yes({ password: "p" }),
    "a route without a freshness lifetime": () => yes({ freshness: null }),
  };
  for (const [name, answer] of Object.entries(ANSWERS)) {
    test(`${name} is not cached`, async () => {
      const endpoint = new ScriptedEndpoint(answer);
      const { ask } = createClient(endpoint);
      assert.equal(kind(await ask()), kind(await ask()));
      assert.equal(endpoint.asked.length, 2);
    });
  }
  const METHODS = {
    "an SMTP recipient": { method: "none", helo: "h", from: "f", to: "t" },
    "a client certificate": { method: "external", login: "anna" },
    "an APOP digest": { method: "apop", ...digest },
    "a CRAM-MD5 digest": { method: "cram-md5", ...digest },
  } as const;
  for (const [name, credentials] of Object.entries(METHODS)) {
    test(`the answer for ${name} is not cached`, async () => {
      const endpoint = new ScriptedEndpoint(() => yes());
      const { ask } = createClient(endpoint);
      for (let count = 0; count < 2; count++)
        assert.equal(kind(await ask({ credentials })), "route");
      assert.equal(endpoint.asked.length, 2);
    });
  }

  test("no answer is cached without auth_http_cache", async () => {
    const endpoint = new ScriptedEndpoint(() => yes());
    const { ask } = createClient(endpoint, { entries: null });
    await ask();
    assert.equal(kind(await ask()), "route");
  });

  test("a route for a bearer token is cached", async () => {
    const { ask } = createClient(new ScriptedEndpoint(() => yes()));
    await ask({ credentials: bearer });
    assert.equal(kind(await ask({ credentials: bearer })), "remembered");
  });
});

test("a full cache drops the answer that was used least recently", async () => {
  const { ask } = createClient(new ScriptedEndpoint(() => yes()), { entries: 2 });
  await ask(plainLogin("a"));
  await ask(plainLogin("b"));
  await ask(plainLogin("a"));
  await ask(plainLogin("c"));
  const kinds = [
    await ask(plainLogin("c")),
    await ask(plainLogin("a")),
    await ask(plainLogin("b")),
  ].map(kind);
  assert.deepEqual(kinds, ["remembered", "remembered", "route"]);
});

test("a slow endpoint's stale answer is served after the patience, and the endpoint's late refusal still removes the answer", async () => {
  const endpoint = new ScriptedEndpoint(() => yes());
  const { ask, at } = createClient(endpoint, { patience: 1 });
  await ask();
  at(31);
  endpoint.answers = null;
  assert.equal(kind(await ask()), "stale");
  const lookup = endpoint.asked[1]!;
  assert.equal(lookup.cancelled, false);
  lookup.answer(no());
  await new Promise(setImmediate);
  endpoint.answers = () => cannotTell();
  assert.equal(kind(await ask()), "unavailable");
});

test("a silent endpoint's stale answer is served at auth_http_timeout, where that is shorter than the patience", async () => {
  const endpoint = new ScriptedEndpoint(() => yes());
  const { lookupClient, ask, at } = createClient(endpoint);
  await ask();
  at(31);
  endpoint.answers = null;
  const waiting = lookupClient.lookup(lookupRequest(), { answered: () => assert.fail() });
  assert.equal(kind(waiting!.timedOut()), "stale");
  assert.equal(endpoint.asked[1]!.cancelled, true);
});

test("lookups that time out count as failures of the endpoint beside one that only refreshes the cache", async () => {
  const endpoint = new ScriptedEndpoint(() => yes());
  const { lookupClient, ask, at } = createClient(endpoint, { patience: 1 });
  await ask();
  at(31);
  endpoint.answers = null;
  for (let count = 0; count < 5; count++) {
    assert.equal(kind(await ask()), "stale");
    const waiting = lookupClient.lookup(lookupRequest(), { answered: () => assert.fail() });
    waiting!.timedOut();
  }
  assert.match(lookupClient.breaker.refusal()!, /after 5 failures/);
});

test("a lookup that only refreshes the cache ends at auth_http_timeout, as a failure of the endpoint", async () => {
  const endpoint = new ScriptedEndpoint(() => yes());
  const { ask, at } = createClient(endpoint, { patience: 1, timeout: 1 });
  await ask();
  at(31);
  endpoint.answers = null;
  assert.equal(kind(await ask()), "stale");
  await eventually("the request is cancelled", () => endpoint.asked[1]!.cancelled);
});

test("a client that leaves during a refresh rejects its lookup and cancels the request", async () => {
  const endpoint = new ScriptedEndpoint(() => yes());
  const { ask, at } = createClient(endpoint);
  await ask();
  at(31);
  endpoint.answers = null;
  const leaving = new AbortController();
  const asked = ask({}, leaving.signal);
  leaving.abort(new Error("left"));
  await assert.rejects(asked, /left/);
  assert.equal(endpoint.asked[1]?.cancelled, true);
});

describe("property: a lookup never receives the answer to a different lookup", () => {
  const name = fc.constantFrom("anna", "Anna", "anna ", "anna%20", "b", "");
  const secret = fc.constantFrom("s", "S", "s\r\nAuth-Login-Attempt: 1", "s%0D", "");
  const changes: fc.Arbitrary<Partial<LookupRequest>> = fc.record({
    credentials: fc.oneof(
      fc.record({ method: fc.constant("plain" as const), login: name, password: secret }),
      fc.record({ method: fc.constant("xoauth2" as const), login: name, token: secret }),
      fc.record({ method: fc.constant("oauthbearer" as const), login: name, token: secret }),
    ),
    protocol: fc.constantFrom("imap", "pop3", "smtp"),
    attempt: fc.integer({ min: 1, max: 3 }),
    client: fc.constantFrom("192.0.2.1", "192.0.2.11", "2001:db8::1"),
    clientHost: fc.constantFrom("[UNAVAILABLE]", "c.example"),
    proxied: fc.constantFrom(null, {
      source: { host: "192.0.2.1", port: 1 },
      destination: { host: "192.0.2.2", port: 143 },
    }),
    tls: fc.constantFrom(null, {
      protocol: "TLSv1.3",
      cipher: "c",
      serverName: null,
      alpn: null,
      resumed: false,
      certificate: () => null,
      verification: null,
    }),
  });
  /** Encodes every field that distinguishes lookups; only SMTP sends the client's host name. */
  const identity = (asked: LookupRequest): string => {
    const clientHost = asked.protocol === "smtp" ? asked.clientHost : "";
    const parts = JSON.stringify({ ...asked, attempt: 0, clientHost });
    return Buffer.from(parts).toString("hex");
  };
  test("each route carries the identity of its own request, after any sequence of lookups", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(changes.map(lookupRequest), fc.integer({ min: 0, max: 20 }), fc.boolean()),
          {
            minLength: 2,
            maxLength: 30,
          },
        ),
        async (steps) => {
          const endpoint = new ScriptedEndpoint();
          const { ask, at } = createClient(endpoint, { entries: 8 });
          let seconds = 0;
          for (const [asked, later, away] of steps) {
            at((seconds += later));
            endpoint.answers = () =>
              away ? new InvalidReply("is broken") : yes({ login: identity(asked) });
            const answers = await Promise.all([ask(asked), ask(asked)]);
            for (const answer of answers) {
              if (answer.kind === "route") assert.equal(answer.login, identity(asked));
              else assert.equal(away, true);
            }
          }
        },
      ),
      inputs(100),
    );
  });
});
