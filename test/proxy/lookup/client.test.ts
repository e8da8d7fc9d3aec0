import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LookupClient, type LookupReply, type LookupRequest } from "../../../proxy/lookup/index.ts";
import { lookUp, lookupRequest } from "../../support/lookup-request.ts";
import { ScriptedEndpoint, cannotTell, no, yes } from "../../support/scripted-endpoint.ts";

const forever = new AbortController().signal;

/** A cache before a scripted endpoint, and a clock that stands still until it is set. */
function cacheOf(
  endpoint: ScriptedEndpoint,
  { entries = 100, patience = 60_000 }: { entries?: number | null; patience?: number } = {},
) {
  let now = 0;
  const settings = {
    auth_http: { https: true, host: "e.test", port: 443, hostHeader: "e.test", uri: "/auth" },
    auth_http_keepalive: true,
    auth_http_pass_client_cert: false,
    auth_http_header: ["X-Auth-Key: k"],
    auth_http_cache: entries === null ? null : { entries },
  };
  const cache = new LookupClient(endpoint, settings, { patience, now: () => now });
  return {
    cache,
    ask: (changes: Partial<LookupRequest> = {}, signal = forever) =>
      lookUp(cache, lookupRequest(changes), signal),
    /** @param seconds since the beginning */
    at: (seconds: number) => {
      now = seconds * 1000;
    },
  };
}

function plain(login: string, password = "s3cret"): Partial<LookupRequest> {
  return { credentials: { method: "plain", login, password } };
}

/** `route`, `remembered`, `stale`, or what else it is. */
function kind(answer: LookupReply): string {
  if (answer.kind !== "route" || answer.remembered === null) return answer.kind;
  return answer.remembered.instead === null ? "remembered" : "stale";
}

describe("what is asked at once", () => {
  for (const entries of [null, 100]) {
    const name = entries === null ? "without a cache" : "with one";
    test(`is asked once, ${name}`, async () => {
      const endpoint = new ScriptedEndpoint();
      const { ask } = cacheOf(endpoint, { entries });
      const all = Array.from({ length: 5 }, () => ask());
      assert.equal(endpoint.asked.length, 1);
      endpoint.asked[0]!.answer(yes());
      for (const answer of await Promise.all(all)) assert.equal(kind(answer), "route");
    });
  }

  test("is asked once for each password, client, protocol and number of attempts", () => {
    const endpoint = new ScriptedEndpoint();
    const { ask } = cacheOf(endpoint);
    const questions = [
      {},
      plain("anna", "S3cret"),
      plain("Anna"),
      { client: "192.0.2.8" },
      { protocol: "pop3" as const },
      { attempt: 2 },
    ];
    for (const question of [...questions, ...questions]) {
      ask(question).catch(() => {});
    }
    assert.equal(endpoint.asked.length, questions.length);
  });

  test("goes on for those who stay, and is given up when all have left", async () => {
    const endpoint = new ScriptedEndpoint();
    const { ask } = cacheOf(endpoint);
    const leaving = [new AbortController(), new AbortController()] as const;
    const [first, second] = leaving.map(({ signal }) => ask({}, signal));
    leaving[0].abort(new Error("left"));
    await assert.rejects(first!, /left/);
    assert.equal(endpoint.asked[0]?.cancelled, false);
    leaving[1].abort(new Error("left too"));
    await assert.rejects(second!, /left too/);
    assert.equal(endpoint.asked[0]?.cancelled, true);
  });

  test("is asked for each alone where the answer holds a password, which may be good once", async () => {
    const endpoint = new ScriptedEndpoint();
    const { ask } = cacheOf(endpoint);
    const all = Promise.all([ask(), ask(), ask()]);
    endpoint.answers = () => yes({ password: `${endpoint.asked.length}` });
    endpoint.asked[0]!.answer(yes({ password: "1" }));
    const passwords = (await all).map((answer) => answer.kind === "route" && answer.password);
    assert.deepEqual(passwords, ["1", "2", "3"]);
  });

  test("is asked for each alone where there is no password to it, as with a recipient", () => {
    const endpoint = new ScriptedEndpoint();
    const { ask } = cacheOf(endpoint);
    const credentials = { method: "none", helo: "h", from: "f", to: "t" } as const;
    for (let count = 0; count < 3; count++) ask({ credentials }).catch(() => {});
    assert.equal(endpoint.asked.length, 3);
  });
});

test("an answer is used again while it is fresh, asked for anew after, and used while nobody can tell", async () => {
  const endpoint = new ScriptedEndpoint(() => yes());
  const { ask, at } = cacheOf(endpoint);
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

test("a refusal ends what was known, so that no outage brings it back", async () => {
  const endpoint = new ScriptedEndpoint(() => yes());
  const { ask, at } = cacheOf(endpoint);
  await ask();
  at(31);
  endpoint.answers = no;
  assert.equal(kind(await ask()), "refused");
  endpoint.answers = () => cannotTell();
  assert.equal(kind(await ask()), "unavailable");
});

test("an answer that may not be used again ends what was known", async () => {
  const endpoint = new ScriptedEndpoint(() => yes());
  const { ask, at } = cacheOf(endpoint);
  await ask();
  at(31);
  endpoint.answers = () => yes({ freshness: null });
  await ask();
  endpoint.answers = () => cannotTell();
  assert.equal(kind(await ask()), "unavailable");
});

describe("never kept is", () => {
  const bearer = { method: "oauthbearer", login: "anna", token: "t" } as const;
  const digest = { login: "anna", salt: "<1@x>", digest: "d" };
  const ANSWERS: Record<string, () => LookupReply> = {
    "a no": no,
    "a request to wait": () => ({ kind: "wait", wait: 1 }),
    "that nobody can tell": () => cannotTell(true),
    "a yes with a password": () => yes({ password: "p" }),
    "a yes that does not say for how long": () => yes({ freshness: null }),
  };
  for (const [name, answer] of Object.entries(ANSWERS)) {
    test(name, async () => {
      const endpoint = new ScriptedEndpoint(answer);
      const { ask } = cacheOf(endpoint);
      assert.equal(kind(await ask()), kind(await ask()));
      assert.equal(endpoint.asked.length, 2);
    });
  }
  const METHODS = {
    "a recipient's": { method: "none", helo: "h", from: "f", to: "t" },
    "a certificate's": { method: "external", login: "anna" },
    "APOP's": { method: "apop", ...digest },
    "CRAM-MD5's": { method: "cram-md5", ...digest },
  } as const;
  for (const [name, credentials] of Object.entries(METHODS)) {
    test(`an answer to ${name} question`, async () => {
      const endpoint = new ScriptedEndpoint(() => yes());
      const { ask } = cacheOf(endpoint);
      for (let count = 0; count < 2; count++)
        assert.equal(kind(await ask({ credentials })), "route");
      assert.equal(endpoint.asked.length, 2);
    });
  }

  test("anything without auth_http_cache", async () => {
    const endpoint = new ScriptedEndpoint(() => yes());
    const { ask } = cacheOf(endpoint, { entries: null });
    await ask();
    assert.equal(kind(await ask()), "route");
  });

  test("but a bearer token's yes is", async () => {
    const { ask } = cacheOf(new ScriptedEndpoint(() => yes()));
    await ask({ credentials: bearer });
    assert.equal(kind(await ask({ credentials: bearer })), "remembered");
  });
});

test("no more answers are kept than was said, those used last", async () => {
  const { ask } = cacheOf(new ScriptedEndpoint(() => yes()), { entries: 2 });
  await ask(plain("a"));
  await ask(plain("b"));
  await ask(plain("a"));
  await ask(plain("c"));
  const kinds = [await ask(plain("c")), await ask(plain("a")), await ask(plain("b"))].map(kind);
  assert.deepEqual(kinds, ["remembered", "remembered", "route"]);
});

describe("who is forgotten", () => {
  test("is asked for again, by the name typed or the one that replaces it, and nobody else is", async () => {
    for (const name of ["anna", "u42", "ANNA"]) {
      const endpoint = new ScriptedEndpoint((text) =>
        yes({ login: text.includes("Auth-User: anna\r\n") ? "u42" : null }),
      );
      const { ask, cache } = cacheOf(endpoint);
      await ask();
      await ask(plain("berta"));
      cache.forget(name);
      assert.equal(kind(await ask()), "route");
      assert.equal(kind(await ask(plain("berta"))), "remembered");
    }
  });

  test("with everybody, is asked for again as they all are, and by no question of before", async () => {
    const endpoint = new ScriptedEndpoint(() => yes());
    const { ask, cache } = cacheOf(endpoint);
    await ask();
    endpoint.answers = null;
    const before = ask(plain("berta"));
    cache.forgetAll();
    endpoint.asked[1]!.answer(yes());
    await before;
    endpoint.answers = () => yes();
    assert.equal(kind(await ask()), "route");
    assert.equal(kind(await ask(plain("berta"))), "route");
  });

  test("is not remembered by a question of before, nor let in by it later", async () => {
    const endpoint = new ScriptedEndpoint();
    const { ask, cache } = cacheOf(endpoint);
    const before = ask();
    cache.forget("anna");
    const after = ask();
    assert.equal(endpoint.asked.length, 2);
    endpoint.asked[1]!.answer(no());
    assert.equal(kind(await after), "refused");
    endpoint.asked[0]!.answer(yes());
    assert.equal(kind(await before), "route");
    endpoint.answers = () => cannotTell();
    assert.equal(kind(await ask()), "unavailable");
  });

  test("is not let in by what is remembered while the endpoint is being asked", async () => {
    const endpoint = new ScriptedEndpoint(() => yes());
    const { ask, at, cache } = cacheOf(endpoint);
    await ask();
    at(31);
    endpoint.answers = null;
    const asked = ask();
    cache.forget("anna");
    endpoint.asked[1]!.answer(cannotTell());
    assert.equal(kind(await asked), "unavailable");
  });
});

test("an endpoint that keeps us waiting is not waited for where there is an answer from before; its own still counts", async () => {
  const endpoint = new ScriptedEndpoint(() => yes());
  const { ask, at } = cacheOf(endpoint, { patience: 1 });
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

test("a client that leaves while it waits for a newer answer has left", async () => {
  const endpoint = new ScriptedEndpoint(() => yes());
  const { ask, at } = cacheOf(endpoint);
  await ask();
  at(31);
  endpoint.answers = null;
  const leaving = new AbortController();
  const asked = ask({}, leaving.signal);
  leaving.abort(new Error("left"));
  await assert.rejects(asked, /left/);
  assert.equal(endpoint.asked[1]?.cancelled, true);
});

describe("property: whatever was asked before, no answer is one to another question", () => {
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
  /** All that makes a question; of a host name only SMTP tells. */
  const identity = (asked: LookupRequest): string => {
    const clientHost = asked.protocol === "smtp" ? asked.clientHost : "";
    const parts = JSON.stringify({ ...asked, attempt: 0, clientHost });
    return Buffer.from(parts).toString("hex");
  };
  test("(fast-check)", async () => {
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
          const { ask, at } = cacheOf(endpoint, { entries: 8 });
          let seconds = 0;
          for (const [asked, later, away] of steps) {
            at((seconds += later));
            endpoint.answers = () => (away ? cannotTell(true) : yes({ login: identity(asked) }));
            const answers = await Promise.all([ask(asked), ask(asked)]);
            for (const answer of answers) {
              if (answer.kind === "route") assert.equal(answer.login, identity(asked));
              else assert.equal(away, true);
            }
          }
        },
      ),
    );
  });
});
