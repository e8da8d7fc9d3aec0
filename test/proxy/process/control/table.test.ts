import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListedSession } from "../../../../proxy/observe/index.ts";
import { age, size, table } from "../../../../proxy/process/control/table.ts";

const session: ListedSession = {
  worker: 4711,
  connection: 7,
  trace_id: "0af7651916cd43dd8448eb211c80319c",
  protocol: "imap",
  state: "proxying",
  remote_addr: "2001:db8::9",
  remote_port: 50_000,
  ssl_protocol: "TLSv1.3",
  user: "anna",
  auth_user: null,
  upstream_addr: "192.0.2.20:143",
  bytes_received: 1,
  bytes_sent: 2048,
  session_time: 61.5,
};

test("columns are as wide as their widest value, and the oldest session comes first", () => {
  const young = {
    ...session,
    protocol: "smtp",
    state: "commands",
    user: null,
    ssl_protocol: null,
    upstream_addr: null,
    session_time: 0,
  } as const;
  const renamed = { ...session, user: "a@example.test", auth_user: "anna", session_time: 90_000 };
  assert.equal(
    table([young, session, renamed]),
    [
      "USER                    CLIENT               PROTOCOL  STATE     TLS      UPSTREAM        AGE   RECEIVED  SENT",
      "a@example.test as anna  [2001:db8::9]:50000  imap      proxying  TLSv1.3  192.0.2.20:143  1d1h  1         2.0K",
      "anna                    [2001:db8::9]:50000  imap      proxying  TLSv1.3  192.0.2.20:143  1m1s  1         2.0K",
      "-                       [2001:db8::9]:50000  smtp      commands  -        -               0s    1         2.0K",
      "",
    ].join("\n"),
  );
});

test("a name with control characters cannot take over the terminal", () => {
  const [, line] = table([{ ...session, user: "\x1b]0;x\x07\r\n\x9b2J" }]).split("\n");
  assert.match(line ?? "", /^\\x1B\]0;x\\x07\\x0D\\x0A\\x9B2J {2}\[/);
});

test("a table without sessions is a line of titles", () => {
  assert.match(table([]), /^USER .* SENT\n$/);
});

test("an age has its two largest units", () => {
  const ages = [0, 0.9, 59, 60, 3599, 3600, 7384, 86_399, 86_400, 1e7].map(age);
  const expected = [
    "0s",
    "0s",
    "59s",
    "1m0s",
    "59m59s",
    "1h0m",
    "2h3m",
    "23h59m",
    "1d0h",
    "115d17h",
  ];
  assert.deepEqual(ages, expected);
});

test("a size has a few digits", () => {
  const sizes = [0, 1023, 1024, 10_239, 10_752, 1_048_576, 5e9, 2e12, 3e15].map(size);
  assert.deepEqual(sizes, ["0", "1023", "1.0K", "10K", "11K", "1.0M", "4.7G", "1.8T", "2728T"]);
});
