// Lines as a syslog server receives them: over UDP, and on a unix socket.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { LOG_LEVELS, type SyslogServer } from "../../../../proxy/config/index.ts";
import { AccessLog, ErrorLog, Sinks } from "../../../../proxy/observe/index.ts";
import { Program } from "../../../support/programs/program.ts";
import { makeScratch } from "../../../support/programs/scratch.ts";
import { sessionRecord } from "../../../support/proxy/session-record.ts";
import { willingSinks } from "../../../support/proxy/sinks.ts";

const HOST = hostname().toLowerCase();

function to(host: string, port: number, changes: Partial<SyslogServer> = {}): SyslogServer {
  return { host, port, facility: 23, severity: "info", tag: "nginx", hostname: HOST, ...changes };
}

interface Receiver {
  readonly port: number;
  readonly next: () => Promise<string>;
}

async function udpServer(t: TestContext, host = "127.0.0.1"): Promise<Receiver> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  t.after(() => socket.close());
  const waiting: ((text: string) => void)[] = [];
  const arrived: string[] = [];
  socket.on("message", (bytes) => {
    const taker = waiting.shift();
    if (taker === undefined) arrived.push(bytes.toString());
    else taker(bytes.toString());
  });
  await once(socket.bind(0, host), "listening");
  return {
    port: socket.address().port,
    next: () =>
      new Promise((resolve) => {
        const text = arrived.shift();
        if (text === undefined) waiting.push(resolve);
        else resolve(text);
      }),
  };
}

function errorLog(syslog: SyslogServer): ErrorLog {
  return new ErrorLog([{ destination: { syslog }, level: "debug" }], willingSinks());
}

const LINE = String.raw`\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[info\] ${process.pid}#${process.pid}: \*7 hello`;
const DATE = "[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d";

test("a line is one datagram, with a head and without a line end", async (t) => {
  const { port, next } = await udpServer(t);
  errorLog(to("127.0.0.1", port)).write("info", "hello", 7);
  assert.match(await next(), new RegExp(`^<190>${DATE} ${HOST} nginx: ${LINE}$`));
});

test("the host's name can be left out, and the tag can be chosen", async (t) => {
  const { port, next } = await udpServer(t);
  const server = to("127.0.0.1", port, { hostname: null, tag: "mail_1", facility: 2 });
  errorLog(server).write("info", "hello", 7);
  assert.match(await next(), new RegExp(`^<22>${DATE} mail_1: ${LINE}$`));
});

test("each level has its severity", async (t) => {
  const { port, next } = await udpServer(t);
  const log = errorLog(to("127.0.0.1", port, { facility: 1 }));
  for (const level of LOG_LEVELS) log.write(level, level);
  for (const [index, level] of LOG_LEVELS.entries()) {
    assert.match(await next(), new RegExp(`^<${8 + 7 - index}>.* \\[${level}\\] .*: ${level}$`));
  }
});

test("a server may have an IPv6 address", async (t) => {
  const { port, next } = await udpServer(t, "::1");
  errorLog(to("::1", port)).write("info", "hello", 7);
  assert.match(await next(), new RegExp(`${LINE}$`));
});

test("the access log may go there too, at the severity of its parameters", async (t) => {
  const { port, next } = await udpServer(t);
  const syslog = to("127.0.0.1", port, { severity: "notice" });
  const target = { destination: { syslog }, format: "json", when: null } as const;
  new AccessLog([target], willingSinks()).write(sessionRecord());
  const [, head, body] = /^(.*?: )(\{.*\})$/.exec(await next()) ?? [];
  assert.match(head ?? "", new RegExp(`^<189>${DATE} ${HOST} nginx: $`));
  assert.equal(JSON.parse(body ?? "").login, "anna");
});

test("a server that is away does not disturb the other servers", async (t) => {
  const { port, next } = await udpServer(t);
  const away = createSocket("udp4");
  await once(away.bind(0, "127.0.0.1"), "listening");
  const nowhere = away.address().port;
  away.close();
  const destinations = [nowhere, port].map((at) => to("127.0.0.1", at));
  const log = new ErrorLog(
    destinations.map((syslog) => ({ destination: { syslog }, level: "info" })),
    willingSinks(),
  );
  for (const word of ["one", "two", "three"]) {
    log.write("info", word);
    assert.match(await next(), new RegExp(`${word}$`));
  }
});

describe("a unix socket", { skip: process.platform !== "linux" && "Linux only" }, () => {
  /** As /dev/log is: a datagram a line, which Perl prints. */
  const RECEIVER = `use Socket; $| = 1;
    socket(S, PF_UNIX, SOCK_DGRAM, 0); bind(S, sockaddr_un($ARGV[0])) or die $!;
    print "ready\\n"; while (defined recv(S, $b, 65536, 0)) { print "$b|\\n" }`;

  async function receiver(t: TestContext, path: string): Promise<Program> {
    const program = new Program("perl", ["-e", RECEIVER, path]);
    t.after(() => program.stop());
    await program.says("ready");
    return program;
  }

  async function scratch(t: TestContext): Promise<string> {
    const { path, remove } = await makeScratch();
    t.after(remove);
    return path;
  }

  test("gets the same datagrams", async (t) => {
    const path = join(await scratch(t), "log");
    const program = await receiver(t, path);
    const log = errorLog(to(`unix:${path}`, 0, { hostname: null }));
    log.write("info", "hello", 7);
    log.write("emerg", "the last — of all");
    await program.says("of all|");
    const [, first = "", second = ""] = program.stdout.split("\n");
    assert.match(first, new RegExp(`^<190>${DATE} nginx: ${LINE}\\|$`));
    assert.match(second, /^<184>.* the last — of all\|$/);
  });

  test("that is away is reported in the other logs, once an outage, and reached when it is back", async (t) => {
    const directory = await scratch(t);
    const path = join(directory, "log");
    const file = join(directory, "error.log");
    const log: ErrorLog = new ErrorLog(
      [
        { destination: { syslog: to(`unix:${path}`, 0) }, level: "info" },
        { destination: { path: file }, level: "alert" },
      ],
      new Sinks((level, message) => log.write(level, message)),
    );
    log.write("info", "lost");
    log.write("info", "lost as well");
    const told = `syslog server unix:${path} takes no messages`;
    const outages = (): number => readFileSync(file, "utf8").split(told).length - 1;
    assert.equal(outages(), 1);
    const first = await receiver(t, path);
    log.write("info", "back");
    await first.says("back|");
    await first.stop();
    rmSync(path);
    log.write("info", "away again");
    assert.equal(outages(), 2);
    const second = await receiver(t, path);
    log.write("info", "and back");
    await second.says("and back|");
    assert.equal(outages(), 2);
  });
});
