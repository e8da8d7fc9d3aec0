// PreAuthPhase with a client that does not read its replies; the session and the protocol handler are fakes.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { ProtocolHandler, Step } from "../../../proxy/protocols/index.ts";
import type { Phase, SessionContext } from "../../../proxy/session/phases/phase.ts";
import { PreAuthPhase } from "../../../proxy/session/phases/pre-auth.ts";
import { Input } from "../../../proxy/transport/index.ts";

const REPLY: Step = { kind: "reply", text: "reply" };
const LOGIN: Step = {
  kind: "login",
  credentials: { method: "plain", login: "anna", password: "secret" },
};

/** The most that may wait for a client: what lets no further command be read, and one batch of replies. */
const MOST_QUEUED = 65_536 + 16_384;

let written: string;
let readsNothing: boolean;
let ends: string[];
/** The steps of the commands that the fake handler has not returned. */
let steps: Step[];
let client: { queued: number; finished: boolean };
let phase: PreAuthPhase;

beforeEach(() => {
  written = "";
  readsNothing = false;
  ends = [];
  steps = [];
  const connection = {
    queued: 0,
    finished: false,
    pause() {},
    resume() {},
    write(text: string) {
      written += text;
      if (readsNothing) connection.queued += text.length;
      return connection.queued === 0;
    },
  };
  client = connection;
  const context = {
    server: { settings: { timeout: 60_000, max_login_failures: 10 } },
    client: { connection },
    input: new Input(),
    telemetry: { log() {} },
    time: { limit() {}, hold() {}, over: false },
    enter: (entered: Phase) => {
      if (entered === phase) entered.begin();
    },
    isIn: () => true,
    end: (reason: string) => ends.push(reason),
  };
  const handler = {
    greetingDelay: 0,
    greeting: () => "greeting",
    next: () => steps.shift() ?? null,
  };
  phase = new PreAuthPhase(
    context as object as SessionContext,
    handler as object as ProtocolHandler,
  );
  phase.begin();
});

function send(...commands: readonly Step[]): void {
  steps = [...commands];
  phase.received(Buffer.from("."));
}

test("a client that reads its replies during a lookup receives the lookup's refusal", () => {
  client.queued = 100_000;
  send(REPLY, LOGIN);
  // The lookup's phase receives the drain, and PreAuthPhase does not.
  client.queued = 0;
  phase.loginRefused({ reply: "refusal", challenge: null, wait: 1 });
  phase.expired();
  assert.equal(written, "greetingreplyrefusal");
});

test("the session of a client that sent FIN ends after the client has read its replies", () => {
  client.queued = 100_000;
  client.finished = true;
  send(REPLY);
  assert.deepEqual(ends, []);
  client.queued = 0;
  phase.drained();
  assert.deepEqual(ends, ["the client closed the connection"]);
});

test("a client that pipelines commands and never reads has a bounded queue, and gets every reply once it reads", () => {
  readsNothing = true;
  const count = 100_000;
  send(...Array.from({ length: count }, () => REPLY));
  let rounds = 0;
  for (; steps.length > 0; rounds++) {
    assert.ok(client.queued > 0 && client.queued <= MOST_QUEUED, `${client.queued} bytes wait`);
    // No further command is read, however many more bytes come.
    const { length } = steps;
    phase.received(Buffer.from("."));
    assert.equal(steps.length, length);
    client.queued = 0;
    phase.drained();
  }
  assert.ok(rounds > 2, `${rounds}`);
  assert.equal(written, `greeting${"reply".repeat(count)}`);
});
