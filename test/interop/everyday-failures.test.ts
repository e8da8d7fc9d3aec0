// Wrong passwords, hostile clients, a mail server or a worker that is away: the client gets a clear answer, and other
// sessions go on.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { seed } from "../support/worker/directory.ts";
import { startMailbox, type Mailbox } from "../support/peers/mailbox/index.ts";
import {
  freeMailPorts,
  mailConfig,
  startPostern,
  type MailPorts,
  type MailProxy,
} from "../support/real-servers/index.ts";
import { Hangup, Wire } from "../support/peers/wire.ts";
import { startWorker } from "../support/worker/worker.ts";

const alice = { address: "alice@example.test", password: "wonderland" };

const protocols = ["imap", "pop3", "smtp"] as const;
type Protocol = (typeof protocols)[number];

const started = new AsyncDisposableStack();
let mailbox: Mailbox;
let ports: MailPorts;

before(async () => {
  mailbox = await startMailbox({ name: "mail1", users: [alice] });
  started.defer(() => mailbox.close());
  const worker = await startWorker();
  started.defer(() => worker.dispose());
  await seed(worker.db, {
    groups: [{ name: "demo" }],
    servers: [
      {
        name: "mail1",
        group: "demo",
        host: "127.0.0.1",
        imapPort: mailbox.imap.port,
        pop3Port: mailbox.pop3.port,
        smtpPort: mailbox.smtp.port,
      },
    ],
    users: [{ ...alice, group: "demo" }],
  });
  ports = await freeMailPorts();
  const proxy = await startPostern(mailConfig(ports, `${worker.url}/auth`, "timeout 2s;"));
  started.defer(() => proxy.stop());
});
after(() => started.disposeAsync());

/** Connects, and reads the greeting. */
async function greeted(protocol: Protocol, at = ports): Promise<Wire> {
  const wire = new Wire(connect(at[protocol], "127.0.0.1"));
  await wire.line();
  return wire;
}

/** Tries to log in, and returns the answer. */
async function login(protocol: Protocol, wire: Wire, password = alice.password): Promise<string> {
  switch (protocol) {
    case "imap":
      wire.write(`a LOGIN ${alice.address} ${password}\r\n`);
      break;
    case "pop3":
      wire.write(`USER ${alice.address}\r\n`);
      await wire.line();
      wire.write(`PASS ${password}\r\n`);
      break;
    case "smtp":
      wire.write(`AUTH PLAIN ${btoa(`\0${alice.address}\0${password}`)}\r\n`);
      break;
  }
  return wire.line();
}

const granted = { imap: /^a OK /, pop3: /^\+OK/, smtp: /^235 / };
const refused = {
  imap: /^a NO \[AUTHENTICATIONFAILED\] /,
  pop3: /^-ERR \[AUTH\] /,
  smtp: /^535 5\.7\.8 /,
};
const unavailable = {
  imap: /^a NO \[UNAVAILABLE\] /,
  pop3: /^-ERR \[SYS\/TEMP\] /,
  smtp: /^4\d\d 4\./,
};

for (const protocol of protocols) {
  test(`a client with a wrong password is refused by ${protocol} and may try again`, async () => {
    const wire = await greeted(protocol);
    assert.match(await login(protocol, wire, "wrong"), refused[protocol]);
    assert.match(await login(protocol, wire), granted[protocol]);
    wire.end();
  });
}

describe("before the login", () => {
  const endless: Record<string, string> = {
    "a line of 10 MB": "a LOGIN ".padEnd(10_000_000, "x"),
    "a literal of 100 GB": `a LOGIN {99999999999}\r\n${"x".repeat(1_000_000)}`,
    "a literal of 100 GB without waiting": `a LOGIN {99999999999+}\r\n${"x".repeat(1_000_000)}`,
  };
  for (const [name, input] of Object.entries(endless)) {
    test(`${name} ends its session and no other`, async () => {
      const bystander = await greeted("imap");
      const wire = await greeted("imap");
      wire.write(input);
      await assert.rejects(async () => {
        for (;;) assert.match(await wire.line(), /BAD|BYE|^\+ OK$/);
      }, Hangup);
      assert.match(await login("imap", bystander), granted.imap);
      bystander.end();
    });
  }

  test("a client that sends nothing is closed after the timeout", async () => {
    const wire = await greeted("imap");
    await assert.rejects(async () => {
      for (;;) assert.match(await wire.line(), /BYE/);
    }, Hangup);
  });
});

describe("while the mail server is away", () => {
  let away: Record<Protocol, number>;
  before(async () => {
    away = { imap: mailbox.imap.port, pop3: mailbox.pop3.port, smtp: mailbox.smtp.port };
    await mailbox.close();
  });
  after(async () => {
    for (const protocol of protocols) await mailbox[protocol].listen(away[protocol]);
  });

  for (const protocol of protocols) {
    test(`${protocol} answers that the failure is temporary, not that the password is wrong`, async () => {
      const wire = await greeted(protocol);
      assert.match(await login(protocol, wire), unavailable[protocol]);
      wire.end();
    });
  }
});

describe("while the worker is away", () => {
  let portsWithoutWorker: MailPorts;
  let proxy: MailProxy;
  before(async () => {
    const worker = await startWorker();
    portsWithoutWorker = await freeMailPorts();
    proxy = await startPostern(mailConfig(portsWithoutWorker, `${worker.url}/auth`));
    await worker.dispose();
  });
  after(() => proxy.stop());

  for (const protocol of protocols) {
    test(`${protocol} answers that the failure is temporary, not that the password is wrong`, async () => {
      const wire = await greeted(protocol, portsWithoutWorker);
      assert.match(await login(protocol, wire), unavailable[protocol]);
      wire.end();
    });
  }
});
