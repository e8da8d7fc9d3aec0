// Lookups, changes of users and the fleet's line in any order: no login is granted, and no session goes on, at a version
// that a kick has revoked before.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LookupClient, type LookupReply, type PendingLookup } from "../../../proxy/lookup/index.ts";
import type { HttpExchange, HttpReceiver } from "../../../proxy/lookup/http.ts";
import { type Kick, KickList, type Login, Revocations } from "../../../proxy/revocation/index.ts";
import { lookupRequest, lookupSettings } from "../../support/proxy/lookup-request.ts";
import { cannotTell, no, yes } from "../../support/peers/scripted-endpoint.ts";
import { inputs } from "../../support/property.ts";

const USERS = ["anna", "bert", "carl"] as const;
type User = (typeof USERS)[number];

const idOf = (user: User) => `${USERS.indexOf(user)}AAAAAAAAAAAAAAAAAAAAA`;

type Versions = Readonly<Record<User, number>>;

/** The last byte of a password is the version from which on it is good. */
type Event =
  | { readonly kind: "log in"; readonly user: User; readonly password: number }
  | {
      readonly kind: "answer";
      readonly which: number;
      readonly lag: number;
      readonly how: "directory" | "outage" | "busy";
    }
  | {
      readonly kind: "change";
      readonly user: User;
      readonly hasBookmark: boolean;
      /** False for a kick that does not have the name that clients type. */
      readonly isNamed: boolean;
    }
  | { readonly kind: "deliver" }
  | { readonly kind: "operator kicks"; readonly user: User }
  | { readonly kind: "line"; readonly to: "away" | "refused" | "back" }
  | { readonly kind: "kicks are lost" }
  | { readonly kind: "time"; readonly seconds: number };

const user = fc.constantFrom(...USERS);
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("log in" as const),
      user,
      password: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("answer" as const),
      which: fc.nat(9),
      lag: fc.nat(4),
      how: fc.constantFrom("directory", "directory", "directory", "outage", "busy"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("change" as const),
      user,
      hasBookmark: fc.boolean(),
      isNamed: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("deliver" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("operator kicks" as const), user }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("line" as const),
      to: fc.constantFrom("away", "refused", "back"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("kicks are lost" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("time" as const), seconds: fc.nat(60) }),
  },
);

interface Asked {
  readonly text: string;
  readonly receiver: HttpReceiver;
}

interface Simulated extends Login {
  pending: PendingLookup | null;
}

/** The counts of events in all runs, so that the test knows that its events met. */
const seen = { route: 0, remembered: 0, stale: 0, repeated: 0, tooOld: 0, kicked: 0, runs: 0 };

/** One proxy process, the directory with its replicas, and the fleet between them. */
class World {
  /** The directory after each change; the last one is the primary's. */
  readonly #history: Versions[] = [{ anna: 1, bert: 1, carl: 1 }];
  /** Kicks on their way. */
  readonly #kicks: (readonly [name: User, version: number, Kick])[] = [];
  /** The versions that the process must not go below. */
  #heard: Versions = { anna: 1, bert: 1, carl: 1 };
  #asked: Asked[] = [];
  readonly #sessions = new Set<Simulated>();
  readonly #revocations: Revocations;
  readonly #client: LookupClient;
  #now = 0;

  constructor(users: number) {
    const bounds = { users, names: 3 };
    this.#revocations = new Revocations("connected", undefined, bounds);
    const endpoint = {
      ask: (text: string, receiver: HttpReceiver): HttpExchange => {
        const one = { text, receiver };
        this.#asked.push(one);
        if (text.includes("Auth-Directory-Bookmark")) seen.repeated++;
        return { cancel: () => void (this.#asked = this.#asked.filter((each) => each !== one)) };
      },
    };
    const settings = lookupSettings({ auth_http_cache: { entries: 4 } });
    this.#client = new LookupClient(endpoint, settings, {
      revocations: this.#revocations,
      patience: 2 ** 30,
      now: () => this.#now,
    });
  }

  do(next: Event): void {
    switch (next.kind) {
      case "log in":
        this.#logIn(next.user, next.password);
        break;
      case "answer":
        this.#answer(next);
        break;
      case "change":
        this.#change(next);
        break;
      case "deliver":
        if (this.#revocations.line === "connected") this.#deliver(1);
        break;
      case "operator kicks":
        this.#kick({ names: [next.user.toUpperCase()], user: null, bookmark: null });
        break;
      case "line":
        this.#setLine(next.to);
        break;
      case "kicks are lost":
        this.#lose();
        break;
      case "time":
        this.#now += next.seconds * 1000;
        break;
    }
  }

  end(): void {
    for (const { pending } of this.#sessions) pending?.cancel();
  }

  #logIn(name: User, password: number): void {
    const session: Simulated = { typedLogin: name, login: name, user: null, pending: null };
    this.#sessions.add(session);
    const credentials = { method: "plain", login: name, password: `${password}` } as const;
    const receiver = { answered: (reply: LookupReply) => this.#answered(session, name, reply) };
    const pending = this.#client.lookup(lookupRequest({ credentials }), receiver);
    if (this.#sessions.has(session)) session.pending ??= pending;
  }

  #answered(session: Simulated, name: User, reply: LookupReply): void {
    session.pending = null;
    if (reply.kind === "unavailable" && !reply.outage && reply.text === null) seen.tooOld++;
    if (reply.kind !== "route") {
      this.#sessions.delete(session);
      return;
    }
    const { remembered } = reply;
    seen[remembered === null ? "route" : remembered.instead === null ? "remembered" : "stale"]++;
    assert.ok(reply.user !== null && reply.user.id === idOf(name));
    assert.ok(
      reply.user.version >= this.#heard[name],
      `${name} is let in at version ${reply.user.version}, but ${this.#heard[name]} is known`,
    );
    this.#sessions.delete(session);
    this.#sessions.add({ ...session, user: reply.user });
  }

  /** A replica that lags behind answers, but never one older than the bookmark. */
  #answer({ which, lag, how }: Extract<Event, { kind: "answer" }>): void {
    const [one] = this.#asked.splice(which % Math.max(this.#asked.length, 1), 1);
    if (one === undefined) return;
    if (how === "outage") {
      one.receiver.failed(new Error("is away"));
      return;
    }
    const bookmark = /\r\nAuth-Directory-Bookmark: (.*)\r\n/.exec(one.text)?.[1] ?? "0";
    const newest = this.#history.length - 1;
    const oldest = bookmark === "first-primary" ? newest : Number(bookmark);
    const versions = this.#history[Math.max(newest - lag, oldest)]!;
    const name = /\r\nAuth-User: (.*)\r\n/.exec(one.text)![1] as User;
    const password = Number(/\r\nAuth-Pass: (.*)\r\n/.exec(one.text)![1]);
    const version = versions[name];
    const busy: LookupReply = { ...cannotTell(false), text: "busy" } as LookupReply;
    const granted = yes({ user: { id: idOf(name), version } });
    const reply = how === "busy" ? busy : password <= version + 2 ? granted : no();
    const head = { status: 200, fields: new Map(), body: 0, keepAlive: true };
    one.receiver.replied({ reply, ...head });
  }

  #change({ user: name, hasBookmark, isNamed }: Extract<Event, { kind: "change" }>): void {
    const before = this.#history.at(-1)!;
    const versions = { ...before, [name]: before[name] + 1 };
    this.#history.push(versions);
    const bookmark = hasBookmark ? `${this.#history.length - 1}`.padStart(4, "0") : null;
    const version = versions[name];
    const names = isNamed ? [name] : [`${name}@example.test`];
    this.#kicks.push([name, version, { names, user: { id: idOf(name), version }, bookmark }]);
  }

  #deliver(count: number): void {
    for (const [name, version, kick] of this.#kicks.splice(0, count)) {
      this.#heard = { ...this.#heard, [name]: version };
      this.#kick(kick);
      for (const session of this.#sessions) {
        const old = session.typedLogin === name && session.user !== null;
        assert.ok(!old || session.user.version >= version, `${name} stays logged in`);
      }
    }
  }

  #kick(kick: Kick): void {
    this.#revocations.kick(kick);
    const list = new KickList([kick]);
    for (const session of this.#sessions) {
      if (!list.ends(session)) continue;
      seen.kicked++;
      session.pending?.cancel();
      this.#sessions.delete(session);
    }
  }

  #setLine(to: "away" | "refused" | "back"): void {
    if (to !== "back") {
      this.#revocations.line = to;
      return;
    }
    this.#revocations.line = "catching up";
    this.#deliver(this.#kicks.length);
    this.#revocations.line = "connected";
  }

  /** The worker has forgotten the kicks that are on their way. */
  #lose(): void {
    this.#revocations.line = "catching up";
    this.#kicks.length = 0;
    this.#heard = this.#history.at(-1)!;
    this.#revocations.lost();
    this.#revocations.line = "connected";
  }
}

test("no login is granted and no session goes on at a version older than a kick that was heard before, in any order", () => {
  fc.assert(
    fc.property(
      fc.array(event, { minLength: 10, maxLength: 150, size: "max" }),
      fc.constantFrom(1, 2, 3),
      (events, users) => {
        const world = new World(users);
        seen.runs++;
        try {
          for (const next of events) world.do(next);
        } finally {
          world.end();
        }
      },
    ),
    inputs(5),
  );
  // The share of runs in which each thing happened on average.
  const { runs, ...counts } = seen;
  for (const [what, count] of Object.entries(counts)) {
    assert.ok(count > runs / 50, `${what} happened ${count} times in ${runs} runs`);
  }
});
