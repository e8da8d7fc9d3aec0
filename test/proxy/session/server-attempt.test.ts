// ServerAttempt with a fake session and a fake upstream.
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
 * @param onRefused the owner's action when the upstream refuses the login
 */
function startAttempt(
  route: () => Dialer | Promise<Dialer>,
  onRefused: () => void = () => {},
): { attempt: ServerAttempt; calls: string[] } {
  const calls: string[] = [];
  const record = (call: string) => (): void => {
    calls.push(call);
  };
  const context = {
    server: {
      routes: { clear: route },
      health: new Health(),
      settings: { proxy_protocol: "off", max_fails: 1, fail_timeout: 10_000, timeout: 60_000 },
    },
    client: { info: {} },
    deadline: { set() {} },
    fault: record("fault"),
    telemetry: { log() {}, connecting() {}, connected() {} },
    resumeWith: async (promise: Promise<unknown>, next: (value: unknown) => void) =>
      next(await promise),
  };
  const owner: ServerAttemptOwner = {
    mayTry: () => true,
    beginTry: record("try"),
    dialling: record("dialling"),
    loggedIn: record("logged in"),
    refused: () => {
      calls.push("refused");
      onRefused();
    },
    serverFailed: record("failed"),
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
  return { attempt, calls };
}

test("a server whose route is not found in time fails, and is not dialled later", async () => {
  const found = Promise.withResolvers<Dialer>();
  const { attempt, calls } = startAttempt(() => found.promise);
  attempt.expired();
  assert.deepEqual(calls, ["failed"]);
  found.resolve({ addresses: () => assert.fail("too late") } as object as Dialer);
  await found.promise;
  assert.deepEqual(calls, ["failed"]);
});

test("an exception behind the upstream's verdict ends the session, and destroys the upstream connection", () => {
  const ends: string[] = [];
  let receiver: DialReceiver | null = null;
  const connection = { close() {}, destroy: () => ends.push("destroy"), resume() {} };
  const dial = (_: unknown, dialled: DialReceiver): Connection => {
    receiver = dialled;
    return connection as object as Connection;
  };
  const dialer = { addresses: () => [SERVER], dial };
  const { calls } = startAttempt(
    () => dialer as object as Dialer,
    () => {
      throw new Error("a bug");
    },
  );
  assert.ok(receiver !== null);
  (receiver as DialReceiver).connected();
  assert.deepEqual(calls, ["dialling", "refused", "fault"]);
  assert.deepEqual(ends, ["destroy"]);
});

test("the connection to an upstream that refused the login is closed, and not destroyed", () => {
  const ends: string[] = [];
  let receiver: DialReceiver | null = null;
  const connection = {
    close: () => ends.push("close"),
    destroy: () => ends.push("destroy"),
    resume() {},
  };
  const { attempt, calls } = startAttempt(() => ({
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
  // The session ends behind the refusal, and cancels the attempt.
  attempt.cancel();
  assert.deepEqual(calls, ["dialling", "refused"]);
  assert.deepEqual(ends, ["close"]);
});
