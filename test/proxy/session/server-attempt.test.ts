// The attempt at one upstream server, with a session and an upstream of the test's.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProtocolHandler } from "../../../proxy/protocols/index.ts";
import type { SessionContext } from "../../../proxy/session/phases/phase.ts";
import { ServerAttempt, type ServerAttemptOwner } from "../../../proxy/session/server-attempt.ts";
import type { Connection, DialReceiver } from "../../../proxy/transport/index.ts";
import { type Dialer, Health } from "../../../proxy/upstream/index.ts";

const SERVER = { host: "127.0.0.1", port: 143 };
const ACCOUNT = { login: "anna", password: "secret", bearer: null };

/**
 * @param route finds the dialer of the server
 * @param refused the owner's part when the upstream has refused the login
 */
function start(
  route: () => Dialer | Promise<Dialer>,
  refused: () => void = () => {},
): { attempt: ServerAttempt; heard: string[] } {
  const heard: string[] = [];
  const hear = (what: string) => (): void => {
    heard.push(what);
  };
  const context = {
    server: {
      routes: { clear: route },
      health: new Health(),
      settings: { proxy_protocol: "off", max_fails: 1, fail_timeout: 10_000, timeout: 60_000 },
    },
    client: { info: {} },
    deadline: { set() {} },
    fault: hear("fault"),
    telemetry: { log() {}, connecting() {}, connected() {} },
    resumeWith: async (promise: Promise<unknown>, next: (value: unknown) => void) =>
      next(await promise),
  };
  const owner: ServerAttemptOwner = {
    mayTry: () => true,
    beginTry: hear("try"),
    dialling: hear("dialling"),
    loggedIn: hear("logged in"),
    refused: () => {
      heard.push("refused");
      refused();
    },
    serverFailed: hear("failed"),
  };
  const handler = {
    // eslint-disable-next-line require-yield
    *login() {
      return { kind: "refused", reply: "a NO\r\n" };
    },
  };
  const attempt = new ServerAttempt(
    context as object as SessionContext,
    handler as object as ProtocolHandler,
    ACCOUNT,
    SERVER,
    { tls: "off", tlsName: "" },
    owner,
  );
  attempt.start();
  return { attempt, heard };
}

test("a server whose route is not found in time has failed, and is not dialled later", async () => {
  const found = Promise.withResolvers<Dialer>();
  const { attempt, heard } = start(() => found.promise);
  attempt.expired();
  assert.deepEqual(heard, ["failed"]);
  found.resolve({ addresses: () => assert.fail("too late") } as object as Dialer);
  await found.promise;
  assert.deepEqual(heard, ["failed"]);
});

test("a fault behind the upstream's verdict ends the session, and its connection", () => {
  const ends: string[] = [];
  let receiver: DialReceiver | null = null;
  const connection = { close() {}, destroy: () => ends.push("destroy"), resume() {} };
  const dial = (_: unknown, dialled: DialReceiver): Connection => {
    receiver = dialled;
    return connection as object as Connection;
  };
  const dialer = { addresses: () => [SERVER], dial };
  const { heard } = start(
    () => dialer as object as Dialer,
    () => {
      throw new Error("a bug");
    },
  );
  assert.ok(receiver !== null);
  (receiver as DialReceiver).connected();
  assert.deepEqual(heard, ["dialling", "refused", "fault"]);
  assert.deepEqual(ends, ["destroy"]);
});

test("an upstream that has refused the login gets an orderly end", () => {
  const ends: string[] = [];
  let receiver: DialReceiver | null = null;
  const connection = {
    close: () => ends.push("close"),
    destroy: () => ends.push("destroy"),
    resume() {},
  };
  const { attempt, heard } = start(() => ({
    addresses: () => [SERVER],
    resolve: () => assert.fail("an address"),
    timedOut: () => new Error("late"),
    dial: (_, dialled) => {
      receiver = dialled;
      return connection as object as Connection;
    },
  }));
  assert.ok(receiver !== null);
  (receiver as DialReceiver).connected();
  // The session ends behind the refusal, and cancels what is under way.
  attempt.cancel();
  assert.deepEqual(heard, ["dialling", "refused"]);
  assert.deepEqual(ends, ["close"]);
});
