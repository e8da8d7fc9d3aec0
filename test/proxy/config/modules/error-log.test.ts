import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import type { ErrorLogTarget, LogLevel } from "../../../../proxy/config/index.ts";
import { configure, mailBlock, server } from "../../../support/proxy/configuration.ts";

function logs(main: string): readonly ErrorLogTarget[] {
  return configure(`${main} ${mailBlock("")}`, { "../logs/x": "" }).error_log;
}

const LEVELS: Record<string, LogLevel> = {
  "": "error",
  debug: "debug",
  info: "info",
  emerg: "emerg",
  debug_mail: "debug",
  "debug_mail debug_event debug_mail": "debug",
};
for (const [words, level] of Object.entries(LEVELS)) {
  test(`error_log stderr ${words} has the level ${level}`, () => {
    assert.deepEqual(logs(`error_log stderr ${words};`), [
      { destination: { stream: "stderr" }, level },
    ]);
  });
}

test("syslog's parameters have nginx's defaults", () => {
  const [first] = server("error_log syslog:server=192.0.2.1 warn;").error_log;
  assert.deepEqual(first, {
    destination: {
      syslog: {
        host: "192.0.2.1",
        port: 514,
        facility: 23,
        severity: "info",
        tag: "nginx",
        hostname: hostname().toLowerCase(),
      },
    },
    level: "warn",
  });
});

test("syslog's parameters may have any order", () => {
  const words = "nohostname,tag=mx,severity=error,facility=mail,server=[2001:db8::1]:5140";
  const [first] = server(`error_log syslog:${words};`).error_log;
  assert.deepEqual(first?.destination, {
    syslog: {
      host: "2001:db8::1",
      port: 5140,
      facility: 2,
      severity: "error",
      tag: "mx",
      hostname: null,
    },
  });
  const unix = server("error_log syslog:server=unix:/dev/log;").error_log[0]?.destination;
  assert.ok(unix !== undefined && "syslog" in unix);
  assert.equal(unix.syslog.host, "unix:/dev/log");
});

test("the main context also has the default log where it names syslog servers only", () => {
  const syslog = "error_log syslog:server=192.0.2.1 info;";
  assert.deepEqual(
    logs(syslog).map(({ destination, level }) => [Object.keys(destination), level]),
    [
      [["syslog"], "info"],
      [["path"], "error"],
    ],
  );
  for (const other of ["error_log stderr crit;", "error_log a.log crit;"]) {
    assert.equal(logs(`${syslog} ${other}`).length, 2);
    assert.ok(logs(`${syslog} ${other}`).every(({ level }) => level !== "error"));
  }
});

test("a server may log to syslog only", () => {
  const { error_log } = server("error_log syslog:server=192.0.2.1;", "error_log stderr;");
  assert.deepEqual(
    error_log.map(({ destination }) => Object.keys(destination)),
    [["syslog"]],
  );
});

test("the access log may go to syslog, too", () => {
  const { access_log } = server("access_log syslog:server=192.0.2.1,severity=notice;");
  const [log] = access_log;
  assert.ok(log !== undefined && "syslog" in log.destination);
  assert.equal(log.destination.syslog.severity, "notice");
});
