// Whole sessions over real sockets, with mistakes on all three sides: the client's, the endpoint's and the server's.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { configureProtocol } from "../../../proxy/protocols/index.ts";
import { unescapeBytes, type ProtocolName } from "../../../shared/lookup.ts";
import { eventually } from "../../support/eventually.ts";
import { greeted, protocolNames } from "../../support/peers/mail-client.ts";
import { SEED, inputs } from "../../support/property.ts";
import { type Servers, startServers } from "../../support/programs/servers.ts";
import { serverSettings } from "../../support/proxy/settings.ts";
import { Choices } from "../explorer/choices.ts";
import { type Attempt, newAttempt } from "../explorer/peers/attempt.ts";
import { ProgramWriter } from "../explorer/peers/programs.ts";
import { changes } from "./mutation.ts";
import { type Endpoint, type Traffic, lookupEndpoint, mailServer, runClient } from "./traffic.ts";

const SESSIONS = inputs(40).numRuns;

/** Clients at once. */
const CLIENTS = 12;

/** No log may show these parts of every password that clients send and lookups hand out. */
const SECRETS = /pw-\d+-x|hand-\d+-out|cHct|aGFuZC0/;

// oxlint-disable-next-line no-control-regex -- no log may hold them
const CONTROLS = /[\x00-\x1f\x7f\u0080-\u009f\u2028\u2029]/;

const AUTH =
  "imap_auth plain login cram-md5 xoauth2; pop3_auth plain cram-md5 xoauth2; smtp_auth plain login cram-md5 xoauth2;";
const TIMES =
  "timeout 400ms; login_timeout 2s; proxy_timeout 400ms; auth_http_timeout 300ms; proxy_connect_timeout 300ms;";

const choices = new Choices(SEED);
const edits = fc.sample(changes, { seed: SEED, numRuns: 5000 });
/** One text in eight has mistakes, since half of the edits leave it as it is. */
const traffic: Traffic = {
  choices,
  mistakes: (text) => (choices.oneIn(4) ? choices.pick(edits as [Edit, ...Edit[]])(text) : text),
};
type Edit = (text: string) => string;

type Port = ProtocolName | `${ProtocolName} tls` | `${ProtocolName} header`;

const attempts = new Map<string, Attempt>();
const isRight = ({ number }: Attempt): boolean => number % 3 !== 0;
/** The logins that a mail server has accepted. */
const accepted = new Set<string>();

let postern: Servers<Port>;
let endpoints: readonly Endpoint[] = [];
before(async () => {
  const servers = protocolNames.map((name) => mailServer(name, accepts, traffic));
  const ports = await Promise.all(servers.map((server) => server.listen()));
  const endpoint = lookupEndpoint(
    (request) => answer(request, (name) => ports[protocolNames.indexOf(name)] ?? 0),
    traffic,
  );
  endpoints = [...servers, endpoint];
  const blocks = protocolNames.flatMap((name) => [
    [name, `listen 127.0.0.1:PORT; protocol ${name};`],
    [`${name} tls`, `listen 127.0.0.1:PORT ssl; protocol ${name};`],
    [`${name} header`, `listen 127.0.0.1:PORT proxy_protocol; protocol ${name};`],
  ]);
  postern = await startServers(
    `auth_http 127.0.0.1:${await endpoint.listen()}; ${TIMES} ${AUTH} starttls on; auth_http_cache on;
     proxy_smtp_auth on; xclient off; set_real_ip_from 127.0.0.1;
     log_format plain '$remote_addr $login $upstream_addr "$end"';
     access_log stdout json; access_log plain.log plain;`,
    Object.fromEntries(blocks) as Record<Port, string>,
  );
});
after(async () => {
  await postern.stop();
  await Promise.all(endpoints.map((each) => each.close()));
});

function accepts(login: string, secret: string): boolean {
  const attempt = attempts.get(login);
  assert.equal(secret, attempt?.secret, "a server is sent a password that no client has typed");
  if (attempt !== undefined) accepted.add(attempt.login);
  return attempt !== undefined;
}

/** The reply of a good endpoint. */
function answer(request: string, port: (name: ProtocolName) => number): string {
  const header = (name: string): string =>
    unescapeBytes(new RegExp(`^${name}: (.*)\r$`, "m").exec(request)?.[1] ?? "");
  const attempt = attempts.get(header("Auth-User"));
  const right = attempt !== undefined && isRight(attempt) && header("Auth-Pass") === attempt.secret;
  const fields = right
    ? [
        "Auth-Status: OK",
        "Auth-Server: 127.0.0.1",
        `Auth-Port: ${port(header("Auth-Protocol") as ProtocolName)}`,
        "Cache-Control: max-age=5",
      ]
    : ["Auth-Status: Invalid login or password", "Auth-Wait: 1"];
  return `HTTP/1.1 200 OK\r\n${fields.join("\r\n")}\r\nContent-Length: 0\r\n\r\n`;
}

/** One session of a client. */
function session(name: Port): Promise<void> {
  const [protocol, kind] = name.split(" ") as [ProtocolName, string | undefined];
  const settings = serverSettings(protocol, { starttls: "on" });
  const listen = {
    ...settings.listen[0]!,
    ssl: kind === "tls",
    proxyProtocol: kind === "header",
  };
  const scenario = {
    protocol: configureProtocol(settings),
    settings: kind === "tls" ? { ...settings, starttls: "off" as const } : settings,
    listen,
    hasTls: true,
    resolves: false,
    limitsLater: false,
  };
  const writer = new ProgramWriter(choices, scenario, (method) => {
    const number = attempts.size;
    const made = newAttempt(method, number);
    attempts.set(made.login, made);
    return made;
  });
  return runClient(postern.ports[name], writer.write(), traffic);
}

function lines(): number {
  return postern.sessions().length;
}

test(`${SESSIONS} sessions with mistakes on all sides end, with one line each and no secret in any log`, async (t) => {
  t.diagnostic(`POSTERN_TEST_SEED=${SEED}`);
  const names = Object.keys(postern.ports) as [Port, ...Port[]];
  // One connection to each port has shown that Postern serves.
  await eventually("the first connections have their lines", () => lines() === names.length);
  let left = SESSIONS;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (left-- > 0) await session(choices.pick(names));
  });
  await Promise.all(clients);
  await eventually("each session has a line", () => lines() >= names.length + SESSIONS);

  const sessions = postern.sessions();
  assert.equal(sessions.length, names.length + SESSIONS);
  const numbers = new Set(sessions.map(({ connection }) => connection));
  assert.equal(numbers.size, sessions.length, "two lines are about one session");
  const loggedIn = sessions.filter(({ logged_in }) => logged_in === true);
  for (const { login } of loggedIn) {
    assert.ok(accepted.has(String(login)) && isRight(attempts.get(String(login))!), String(login));
  }
  // A client whose mistake makes its password the login has its login in the log. A rejected MAIL command is logged
  // whole, as nginx does, and a mistake may have joined it with the next line.
  const logins = sessions.map(({ login }) => String(login)).filter((login) => SECRETS.test(login));
  const withoutLogins = (line: string): string =>
    line.includes('client was rejected: "MAIL')
      ? ""
      : logins.reduce(
          (text, login) => text.replaceAll(login, ""),
          line.replace(/, login: "[^"]*"/, ""),
        );
  const share = loggedIn.length / SESSIONS;
  t.diagnostic(`${(share * 100).toFixed(1)} % of the sessions log in`);
  assert.ok(share > 0.05, "too few sessions log in");

  const { stdout, stderr } = postern.proxy.program;
  const plain = await readFile(join(postern.proxy.directory, "plain.log"), "latin1");
  assert.equal(plain.split("\n").length - 1, sessions.length);
  for (const log of [stdout, stderr, plain]) {
    const unsafe = log
      .split("\n")
      .filter((line) => SECRETS.test(withoutLogins(line)) || CONTROLS.test(line));
    assert.deepEqual(unsafe, []);
  }
  assert.doesNotMatch(stderr, /\[(alert|emerg|crit)\]/);

  for (const name of protocolNames) {
    const wire = await greeted(name, postern.ports[name]);
    wire.end();
  }
});
