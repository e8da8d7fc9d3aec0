/** The promises that are checked when a run is over. */
import { MOST_REFUSALS, TIMES } from "./scenario.ts";
import type { Side } from "./operator.ts";
import type { World } from "./world.ts";

/** Replies that a client must not take for a wrong password. */
const TEMPORARY = /\[UNAVAILABLE\]|\[SYS\/TEMP\]|^4\d\d|busy/m;

/** ms that a session may take before its login, with the longest waits of lookups and servers. */
const LONGEST_LOGIN =
  TIMES.login_timeout +
  12 * TIMES.auth_http_timeout +
  8 * (TIMES.proxy_connect_timeout + TIMES.timeout) +
  60_000;

/** ms that a client has for a handshake behind which it hears that the server shuts down. */
const LONGEST_FAREWELL = 5000;

/** @param since when the peers fell silent, ms */
export function checkEnd(world: World, since: number): void {
  const { clock, promises } = world;
  for (const side of world.sides) checkSide(world, side, since);
  letGoOfLookups(world);
  for (const connection of world.connections) {
    if (!connection.gone) world.violation(`${connection.name} is never closed`);
  }
  if (clock.timers > 0) world.violation(`${clock.timers} timers are left`);
  if (promises.size > 0) world.violation(`${promises.size} promises are left`);
  if (world.held > 0) world.violation(`${world.held} claims are not released`);
}

function checkSide(world: World, side: Side, since: number): void {
  const { observer, client, upstreams, began, ended } = side;
  if (ended === null) {
    world.violation("a session never ends");
    return;
  }
  const [record, ...more] = observer.records;
  if (record === undefined || more.length > 0) {
    world.violation(`a session has ${observer.records.length} lines in the access log`);
    return;
  }
  const accepted = upstreams.filter((upstream) => upstream.saidYes);
  const says = observer.results.filter((result) => result === "accepted").length;
  if (observer.results.length !== record.login_attempts) {
    world.violation(`${record.login_attempts} attempts have ${observer.results.length} results`);
  }
  if (says !== (record.logged_in ? 1 : 0)) world.violation("the log and the metrics differ");
  const asks = world.scenario.settings.proxy_smtp_auth || world.scenario.protocol.name !== "smtp";
  if (asks && accepted.length === 0 && (record.logged_in || client.letIn)) {
    world.violation("a client is let in without the yes of a server");
  }
  if (client.letIn && !record.logged_in) world.violation("a login is not in the log");
  checkTime(world, side, since, record.logged_in);
  checkLastWords(world, side);
  if (record.end === "the login was refused") checkRefusal(world, side);
  if (record.logged_in) checkRelay(world, side, record.end);
  if (began > ended) world.violation("time goes back");
}

function checkTime(world: World, side: Side, since: number, loggedIn: boolean): void {
  const { began, ended, drained } = side;
  if (drained !== null && !loggedIn && (ended ?? 0) - drained > LONGEST_FAREWELL) {
    world.violation("a session before its login outlasts a drain");
  }
  const time = (ended ?? 0) - (loggedIn ? since : began);
  if (time > (loggedIn ? TIMES.proxy_timeout : LONGEST_LOGIN)) {
    world.violation(`a session ends ${time / 1000} s too late`);
  }
}

/** A login that could not be decided ends in words for a temporary failure. */
function checkLastWords(world: World, { observer, client }: Side): void {
  const { settings } = world.scenario;
  if (observer.results.at(-1) !== "unavailable" || settings.proxy_pass_error_message) return;
  const { lastWritten } = client.connection;
  if (!TEMPORARY.test(lastWritten)) {
    world.violation(`a temporary failure is told as ${JSON.stringify(lastWritten)}`);
  }
}

/** A client that is given a wait may try again, up to `max_login_failures`. */
function checkRefusal(world: World, { observer, client, session }: Side): void {
  const refused = observer.results.filter((result) => result === "refused").length;
  const login = session.client.typedLogin;
  const attempt = client.attempts.find((each) => each.login === login);
  if (refused < MOST_REFUSALS && attempt?.refusals.has(0) === false) {
    world.violation(`a client may not try again after ${refused} refusals`);
  }
}

/** Bytes between client and server: in their order, none made up, and all of them where the end was orderly. */
function checkRelay(world: World, side: Side, end: string): void {
  const { client, session } = side;
  const upstream = side.upstreams.findLast((each) => each.relaying);
  const login = session.client.typedLogin;
  const attempt = client.attempts.find((each) => each.login === login);
  if (upstream === undefined || attempt === undefined) return;
  client.connection.readAll();
  upstream.connection.readAll();
  const fromClient = client.sent.slice(attempt.end);
  if (!fromClient.startsWith(upstream.relayed)) {
    world.violation(`the server got "${upstream.relayed}" of "${fromClient}"`);
  }
  if (!upstream.sent.startsWith(client.relayed)) {
    world.violation(`the client got "${client.relayed}" of "${upstream.sent}"`);
  }
  const orderly = end.endsWith(" closed the connection");
  const broken = [client, upstream].some(({ connection }) => connection.broken);
  if (!orderly || broken) return;
  if (upstream.relayed.length < fromClient.length && client.connection.finished) {
    world.violation(`the server got only "${upstream.relayed}" of "${fromClient}"`);
  }
  if (client.relayed.length < upstream.sent.length && upstream.connection.finished) {
    world.violation(`the client got only "${client.relayed}" of "${upstream.sent}"`);
  }
}

/** Connections that are kept for the next lookup end with the endpoint. */
function letGoOfLookups(world: World): void {
  for (const connection of world.connections) {
    if (!connection.gone && connection.name.startsWith("lookup")) {
      connection.break();
      connection.ownOptions((_weight, happen) => happen());
    }
  }
}
