// A lookup's reply from before a revocation lets nobody in: from the cache, under way, or of a replica that lags behind.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LookupClient, type LookupReply, type LookupRequest } from "../../../proxy/lookup/index.ts";
import { type Kick, type LineState, Revocations } from "../../../proxy/revocation/index.ts";
import type { UserVersion } from "../../../shared/user-version.ts";
import { lookUp, lookupRequest, lookupSettings } from "../../support/proxy/lookup-request.ts";
import { ScriptedEndpoint, cannotTell, no, yes } from "../../support/peers/scripted-endpoint.ts";

const ID = "AAAAAAAAAAAAAAAAAAAAAA";
const OTHER_ID = "BBBBBBBBBBBBBBBBBBBBBA";

const at = (version: number, id = ID): UserVersion => ({ id, version });

/** A yes at a version of the user. */
const granted = (version: number, id = ID) => yes({ user: at(version, id) });

function kickTo(version: number, bookmark: string | null = `b${version}`): Kick {
  return { names: ["anna@example.test"], user: at(version), bookmark };
}

const kickByName = (...names: string[]): Kick => ({ names, user: null, bookmark: null });

function start(endpoint: ScriptedEndpoint, bounds: { users?: number; names?: number } = {}) {
  let now = 0;
  const revocations = new Revocations("connected", undefined, bounds);
  const settings = lookupSettings({ auth_http_cache: { entries: 100 } });
  const client = new LookupClient(endpoint, settings, {
    revocations,
    patience: 60_000,
    now: () => now,
  });
  return {
    revocations,
    ask: (login = "anna@example.test", changes: Partial<LookupRequest> = {}) =>
      lookUp(
        client,
        lookupRequest({ credentials: { method: "plain", login, password: "s3cret" }, ...changes }),
      ),
    /** Lets seconds go by. */
    later: (seconds: number) => {
      now += seconds * 1000;
    },
  };
}

function kind(reply: LookupReply): string {
  if (reply.kind !== "route" || reply.remembered === null) return reply.kind;
  return reply.remembered.instead === null ? "remembered" : "stale";
}

/** The bookmark of each request; null for none. */
function bookmarks({ texts }: ScriptedEndpoint): (string | null)[] {
  return texts.map((text) => /\r\nAuth-Directory-Bookmark: (.*)\r\n/.exec(text)?.[1] ?? null);
}

describe("a remembered reply", () => {
  test("is not used once a kick has a newer version of its user, fresh or stale", async () => {
    const endpoint = new ScriptedEndpoint(() => granted(4));
    const { ask, revocations, later } = start(endpoint);
    await ask();
    assert.equal(kind(await ask()), "remembered");
    revocations.kick(kickTo(5));
    endpoint.answers = () => cannotTell();
    assert.equal(kind(await ask()), "unavailable");
    later(31);
    assert.equal(kind(await ask()), "unavailable");
  });

  test("is not used once another reply has a newer version of its user", async () => {
    const endpoint = new ScriptedEndpoint(() => granted(4));
    const { ask } = start(endpoint);
    await ask();
    endpoint.answers = () => granted(5);
    await ask("anna", { client: "192.0.2.77" });
    endpoint.answers = () => cannotTell();
    assert.equal(kind(await ask()), "unavailable");
  });

  test("stays while other users are kicked, and while its own user is kicked at an earlier version", async () => {
    const { ask, revocations } = start(new ScriptedEndpoint(() => granted(4)));
    await ask();
    revocations.kick({ names: ["berta"], user: at(9, OTHER_ID), bookmark: "b" });
    revocations.kick({ ...kickTo(4), names: [] });
    revocations.kick(kickByName("bert"));
    assert.equal(kind(await ask()), "remembered");
  });

  test("without a version is not used once its user is kicked by the name that was typed or that replaced it", async () => {
    for (const [typed, name] of [
      ["anna", "ANNA"],
      ["anna", "u42"],
      ["J\u00c3\u0096RG@example.test", "jo\u0308rg@example.test"],
      ["jo\u00cc\u0088rg@example.test", "J\u00d6RG@EXAMPLE.TEST"],
      ["a@ex\u00c3\u00a4mple.test", "a@xn--exmple-cua.test"],
    ] as const) {
      const endpoint = new ScriptedEndpoint((text) =>
        yes({ login: text.includes("berta") ? null : "u42" }),
      );
      const { ask, revocations } = start(endpoint);
      await ask(typed);
      await ask("berta");
      revocations.kick(kickByName(name));
      assert.equal(kind(await ask("berta")), "remembered");
      assert.equal(kind(await ask(typed)), "route", `${typed} by ${name}`);
    }
  });

  test("with a version is dropped by an operator's kick by name as well", async () => {
    const { ask, revocations } = start(new ScriptedEndpoint(() => granted(4)));
    await ask();
    revocations.kick(kickByName("anna@example.test"));
    assert.equal(kind(await ask()), "route");
  });

  test("is not used after kicks were lost, nor by a lookup that waits for the endpoint", async () => {
    const endpoint = new ScriptedEndpoint(() => granted(4));
    const { ask, revocations, later } = start(endpoint);
    await ask();
    later(31);
    endpoint.answers = null;
    const waiting = ask();
    revocations.lost();
    endpoint.asked[1]!.answer(cannotTell());
    assert.equal(kind(await waiting), "unavailable");
  });

  test("of a user that there was no room for any more is asked for anew", async () => {
    const endpoint = new ScriptedEndpoint((text) =>
      text.includes("berta") ? granted(1, OTHER_ID) : granted(4),
    );
    const { ask } = start(endpoint, { users: 1 });
    await ask();
    await ask("berta");
    assert.equal(kind(await ask("berta")), "remembered");
    assert.equal(kind(await ask()), "route");
  });

  test("is not used after more names were kicked than there is room for", async () => {
    const { ask, revocations } = start(new ScriptedEndpoint(() => yes()), { names: 2 });
    await ask();
    revocations.kick(kickByName("anna@example.test"));
    revocations.kick(kickByName("b"));
    revocations.kick(kickByName("c"));
    assert.equal(kind(await ask()), "route");
  });
});

describe("the word of an endpoint", () => {
  const says = (words: string | null) => ({ ...cannotTell(false), text: words }) as LookupReply;
  const WORDS: Record<string, () => LookupReply> = {
    "a block": () => says("Too many failed logins"),
    "a 4xx without words": () => says(null),
    "a refusal": no,
  };
  for (const [name, answer] of Object.entries(WORDS)) {
    test(`is never replaced by a remembered reply, and drops it: ${name}`, async () => {
      const endpoint = new ScriptedEndpoint(() => granted(4));
      const { ask, later } = start(endpoint);
      await ask();
      later(31);
      endpoint.answers = answer;
      assert.deepEqual(await ask(), answer());
      endpoint.answers = () => cannotTell();
      assert.equal(kind(await ask()), "unavailable");
    });
  }
});

describe("a reply that is older than a kick", () => {
  test("is asked for once more with the kick's bookmark, and the newer reply counts", async () => {
    const endpoint = new ScriptedEndpoint((text) => (text.includes("b5") ? no() : granted(4)));
    const { ask, revocations } = start(endpoint);
    revocations.kick(kickTo(5));
    assert.equal(kind(await ask()), "refused");
    assert.deepEqual(bookmarks(endpoint), [null, "b5"]);
  });

  test("is asked for once more at the primary where the kick has no bookmark", async () => {
    const endpoint = new ScriptedEndpoint(() => granted(endpoint.asked.length + 3));
    const { ask, revocations } = start(endpoint);
    revocations.kick(kickTo(5, null));
    assert.deepEqual(await ask(), granted(5));
    assert.deepEqual(bookmarks(endpoint), [null, "first-primary"]);
  });

  test("that is still older is a temporary failure, and is not remembered", async () => {
    const endpoint = new ScriptedEndpoint(() => granted(4));
    const { ask, revocations } = start(endpoint);
    revocations.kick(kickTo(5));
    for (let count = 0; count < 2; count++) {
      const reply = await ask();
      assert.ok(reply.kind === "unavailable" && !reply.outage);
      assert.equal(reply.why, "sent a reply from before the user's last change");
    }
    assert.equal(endpoint.asked.length, 4);
  });

  test("lets none of the sessions in that have joined the lookup, nor one that joins after the kick", async () => {
    const endpoint = new ScriptedEndpoint();
    const { ask, revocations } = start(endpoint);
    const before = [ask(), ask()];
    assert.equal(endpoint.asked.length, 1);
    revocations.kick(kickTo(5));
    const after = ask();
    assert.equal(endpoint.asked.length, 2);
    endpoint.answers = () => granted(4);
    for (const lookup of endpoint.asked.slice(0, 2)) lookup.answer(granted(4));
    for (const reply of await Promise.all([...before, after])) {
      assert.equal(kind(reply), "unavailable");
    }
  });

  test("is asked for once more where the user is known by name alone, and was kicked meanwhile", async () => {
    const endpoint = new ScriptedEndpoint();
    const { ask, revocations } = start(endpoint);
    const asked = ask("alias@example.test");
    revocations.kick(kickByName("u42"));
    endpoint.asked[0]!.answer(yes({ login: "u42" }));
    endpoint.asked[1]!.answer(no());
    assert.equal(kind(await asked), "refused");
  });

  test("is asked for once more at the primary where kicks were lost meanwhile, as every lookup until the next kick", async () => {
    const endpoint = new ScriptedEndpoint();
    const { ask, revocations } = start(endpoint);
    const asked = ask();
    revocations.lost();
    endpoint.asked[0]!.answer(granted(4));
    endpoint.asked[1]!.answer(no());
    assert.equal(kind(await asked), "refused");
    endpoint.answers = () => yes();
    await ask("berta");
    revocations.kick({ names: [], user: at(2, OTHER_ID), bookmark: "b7" });
    await ask("carl");
    assert.deepEqual(bookmarks(endpoint), [null, "first-primary", "first-primary", "b7"]);
  });

  test("is older than a kick that there was no room for, so that all lookups carry its bookmark", async () => {
    const endpoint = new ScriptedEndpoint(() => yes());
    const { ask, revocations } = start(endpoint, { users: 1 });
    revocations.kick(kickTo(5));
    await ask("berta");
    revocations.kick({ names: [], user: at(2, OTHER_ID), bookmark: "b7" });
    await ask("carl");
    assert.deepEqual(bookmarks(endpoint), [null, "b5"]);
  });

  test("is known to a process that starts later", async () => {
    const { revocations } = start(new ScriptedEndpoint());
    revocations.kick(kickTo(5));
    const later = new Revocations("connected", structuredClone(revocations.state));
    assert.equal(later.newerThan("anna", { login: null, user: at(4) }, later.era), "b5");
    assert.equal(later.newerThan("anna", { login: null, user: at(5) }, later.era), null);
  });

  test("a bookmark is no part of a request's identity", async () => {
    const endpoint = new ScriptedEndpoint((text) => granted(text.includes("b5") ? 5 : 4));
    const { ask, revocations } = start(endpoint);
    revocations.kick(kickTo(5));
    assert.deepEqual(await ask(), granted(5));
    assert.equal(kind(await ask()), "remembered");
  });
});

describe("the line to the fleet", () => {
  const USES: Readonly<Record<LineState, readonly [fresh: string, endpointAway: string]>> = {
    connected: ["remembered", "remembered"],
    "catching up": ["route", "unavailable"],
    away: ["route", "stale"],
    refused: ["route", "unavailable"],
  };
  for (const [line, [fresh, endpointAway]] of Object.entries(USES)) {
    test(`while it is ${line}, a fresh remembered reply is ${fresh}, and with an endpoint that is away ${endpointAway}`, async () => {
      const endpoint = new ScriptedEndpoint(() => granted(4));
      const { ask, revocations } = start(endpoint);
      await ask();
      revocations.line = line as LineState;
      assert.equal(kind(await ask()), fresh);
      endpoint.answers = () => cannotTell();
      assert.equal(kind(await ask()), endpointAway);
      revocations.line = "connected";
      assert.equal(kind(await ask()), "remembered");
    });
  }
});
