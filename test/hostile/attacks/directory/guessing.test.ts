// Guessing through the whole stack, worker included: no answer tells which users exist, and an attacker with many
// accounts, sessions or networks gets a bounded number of verdicts, and costs other users nothing.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { SEALING, seed } from "../../../support/worker/directory.ts";
import { fetchAnew } from "../../../support/http/http.ts";
import { protocolNames } from "../../../support/peers/mail-client.ts";
import { type Mailbox, startMailbox } from "../../../support/peers/mailbox/index.ts";
import { RawClient } from "../../../support/peers/raw-client.ts";
import { type Servers, startServers } from "../../../support/programs/servers.ts";
import { type RunningWorker, startWorker } from "../../../support/worker/worker.ts";

/** Verdicts for a /64 and for a /48. */
const NETWORK = 8;
const WIDE = 16;

const password = "the-one-right-password";
const BCRYPT = "$2y$05$cVqkFzVNBL0PsJJhJzjKJuIi4ROxR2T2bVMVkYHXoOlBiTjPSuP4m";

/** Names that an attacker wants to tell apart. */
const NAMES: Readonly<Record<string, string>> = {
  "a user": "alice@example.test",
  "a disabled user": "dora@example.test",
  "a user without the protocol": "emil@example.test",
  "a user with an imported hash": "frida@example.test",
  "a user with a sealed password": "gina@example.test",
  "a user of a group without a server": "hans@example.test",
  "an alias": "sales@example.test",
  nobody: "nobody@example.test",
  "nobody in another domain": "nobody@elsewhere.test",
  "a name without a domain": "nobody",
  "a name of 300 characters": `${"x".repeat(288)}@example.test`,
  "a name in another script": Buffer.from("žofie@example.test").toString("latin1"),
};

let worker: RunningWorker;
let mailbox: Mailbox;
let postern: Servers<ProtocolName>;

before(async () => {
  mailbox = await startMailbox({
    name: "mail1",
    users: [{ address: "alice@example.test", password }],
  });
  const vars = {
    SECRET_KEYS: SEALING,
    FAILURES_PER_NETWORK: `${NETWORK}`,
    FAILURES_PER_IPV6_56: `${WIDE}`,
    FAILURES_PER_IPV6_48: `${WIDE}`,
    FAILURES_PER_IPV4_24: `${WIDE}`,
    FAILURES_PER_ACCOUNT: "1000",
    FAILURES_PER_USER: "1000",
  };
  worker = await startWorker({ vars, log: () => {} });
  const ports = {
    imapPort: mailbox.imap.port,
    pop3Port: mailbox.pop3.port,
    smtpPort: mailbox.smtp.port,
  };
  await seed(worker.db, {
    groups: [{ name: "mail" }, { name: "empty" }],
    servers: [{ name: "m1", group: "mail", host: "127.0.0.1", ...ports }],
    users: [
      { address: "alice@example.test", group: "mail", password },
      { address: "dora@example.test", group: "mail", password, enabled: false },
      {
        address: "emil@example.test",
        group: "mail",
        password,
        imap: false,
        pop3: false,
        smtp: false,
      },
      { address: "frida@example.test", group: "mail", passwordHash: BCRYPT },
      { address: "gina@example.test", group: "mail", password },
      { address: "hans@example.test", group: "empty", password },
    ],
    aliases: [{ address: "sales@example.test", user: "alice@example.test" }],
    secrets: [{ user: "gina@example.test", purpose: "own", secret: password }],
  });
  postern = await startServers(
    `auth_http ${worker.url}/auth; auth_http_header X-Auth-Key development;
     proxy_smtp_auth on; xclient off; set_real_ip_from 127.0.0.1; smtp_greeting_delay 0;
     imap_auth plain login cram-md5; pop3_auth plain apop cram-md5; smtp_auth plain login cram-md5;`,
    {
      imap: "listen 127.0.0.1:PORT proxy_protocol; protocol imap;",
      pop3: "listen 127.0.0.1:PORT proxy_protocol; protocol pop3;",
      smtp: "listen 127.0.0.1:PORT proxy_protocol; protocol smtp;",
    },
  );
});
after(async () => {
  await postern.stop();
  await worker.dispose();
  await mailbox.close();
});

type Method = "password" | "cram-md5" | "apop";

let clients = 0;

/** A login by a client of its own network, or of the given one; returns the lines behind the greeting. */
async function guess(
  protocol: ProtocolName,
  method: Method,
  name: string,
  proof: string,
  from = `2001:db8:${(++clients).toString(16)}::1`,
): Promise<string> {
  const client = await RawClient.connect(postern.ports[protocol]);
  const quit = protocol === "imap" ? "q LOGOUT\r\n" : "QUIT\r\n";
  await client.send(`PROXY TCP6 ${from} 2001:db8::25 51234 143\r\n`);
  await client.until(/\r\n$/);
  const greeting = client.text.length;
  await client.send(...commands(protocol, method, name, proof), quit);
  const text = (await client.closed).slice(greeting);
  // A challenge is another one in each session.
  return text.replace(/^(?:\+|334) [A-Za-z0-9+/=]{12,}\r\n/gm, "+ challenge\r\n");
}

function commands(
  protocol: ProtocolName,
  method: Method,
  name: string,
  proof: string,
): readonly string[] {
  const auth = { imap: "a AUTHENTICATE", pop3: "AUTH", smtp: "AUTH" }[protocol];
  switch (method) {
    case "password":
      return [`${auth} PLAIN ${btoa(`\0${name}\0${proof}`)}\r\n`];
    case "cram-md5":
      return [`${auth} CRAM-MD5\r\n`, `${btoa(`${name} ${"0".repeat(32)}`)}\r\n`];
    case "apop":
      return [`APOP ${name} ${"0".repeat(32)}\r\n`];
  }
}

const METHODS: readonly (readonly [ProtocolName, Method])[] = [
  ...protocolNames.flatMap((protocol) =>
    (["password", "cram-md5"] as const).map((method) => [protocol, method] as const),
  ),
  ["pop3", "apop"],
];

/** Few at once, because the worker refuses to hash many passwords at once, which says nothing about names. */
async function inTurn<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += 4) {
    results.push(...(await Promise.all(items.slice(at, at + 4).map(work))));
  }
  return results;
}

describe("no answer tells who exists", { concurrency: 3 }, () => {
  for (const [protocol, method] of METHODS) {
    test(`${protocol} ${method}: every name gets the same answer, and the session goes on alike`, async () => {
      // One protocol with all names, since the worker does not go by the protocol here.
      const all = Object.entries(NAMES);
      const some = all.filter(([what]) =>
        /^(?:a user|nobody|a user with a sealed password)$/.test(what),
      );
      const names = protocol === "imap" && method === "password" ? all : some;
      const answers = await inTurn(names, ([, name]) =>
        guess(protocol, method, name, "a-wrong-password"),
      );
      assert.match(answers[0] ?? "", /Invalid login or password/);
      for (const [index, [what]] of names.entries()) assert.equal(answers[index], answers[0], what);
    });

    if (method !== "password") continue;
    test(`${protocol}: a right password that does not open a mailbox is told like a wrong one`, async () => {
      const names = ["nobody", "dora", "emil", "alice"].map((name) => `${name}@example.test`);
      const answers = await inTurn(names, (name) => guess(protocol, method, name, password));
      const [wrong, disabled, closed, opened = ""] = answers;
      assert.equal(disabled, wrong);
      assert.equal(closed, wrong);
      assert.doesNotMatch(opened, /Invalid/);
    });
  }
});

/** Guesses that another proxy passes on, without a wait for their answers. @returns the number of verdicts */
async function guessedElsewhere(addresses: readonly string[]): Promise<number> {
  let verdicts = 0;
  for (const [index, address] of addresses.entries()) {
    const { headers } = await fetchAnew(new URL("/auth", worker.url), {
      headers: {
        "X-Auth-Key": "development",
        "Auth-Method": "plain",
        "Auth-User": `${index}-${address}@spray.test`,
        "Auth-Pass": "a-wrong-password",
        "Auth-Protocol": "imap",
        "Client-IP": address,
      },
    });
    if (/Invalid login/.test(headers.get("Auth-Status") ?? "")) verdicts++;
  }
  return verdicts;
}

const BLOCKED = {
  imap: /^a NO \[UNAVAILABLE\] Too many failed logins/m,
  pop3: /^-ERR \[SYS\/TEMP\] Too many failed logins/m,
  smtp: /^454 4\.7\.0 Too many failed logins/m,
};

describe("an attacker gets a bounded number of verdicts", () => {
  const numbers = Array.from({ length: WIDE }, (_, index) => index + 1);

  test("from one /64, over as many accounts, addresses and protocols as it likes", async () => {
    const addresses = numbers.map((number) => `2001:db8:f000:1::${number}`);
    assert.equal(await guessedElsewhere(addresses), NETWORK);
    for (const protocol of protocolNames) {
      for (const proof of ["a-wrong-password", password]) {
        const from = `2001:db8:f000:1::ff${protocol.length}`;
        const answer = await guess(protocol, "password", "alice@example.test", proof, from);
        assert.match(answer, BLOCKED[protocol]);
      }
    }
  });

  test("from a /48, with a /64 of its own for each guess", async () => {
    const addresses = numbers.map((number) => `2001:db8:f001:${number}::1`);
    assert.equal(await guessedElsewhere(addresses), WIDE);
    for (const protocol of protocolNames) {
      const from = `2001:db8:f001:ff${protocol.length}::1`;
      const answer = await guess(protocol, "password", "bob@example.test", password, from);
      assert.match(answer, BLOCKED[protocol]);
    }
  });

  test("and the same account logs in from elsewhere at once", async () => {
    for (const protocol of protocolNames) {
      const text = await guess(protocol, "password", "alice@example.test", password);
      assert.doesNotMatch(text, /NO|-ERR|^[45]\d\d /m);
    }
  });
});
