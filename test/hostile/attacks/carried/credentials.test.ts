// Credentials carried over: a refused, cancelled or interrupted attempt leaves nothing for the next one (the kinds of
// CVE-2025-53859 and CVE-2026-27651, which nginx had where a lookup lets a client try again).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { type AttackSite, startAttackSite } from "../../../support/peers/attack-site.ts";
import { reply, route } from "../../../support/peers/lookup-endpoint.ts";
import { anna, granted, greeted, protocolNames } from "../../../support/peers/mail-client.ts";
import type { Wire } from "../../../support/peers/wire.ts";

type Method = "plain" | "login" | "cram-md5" | "apop" | "external" | "password";

/** Each way to log in, and the methods by which its lookup is made. */
const METHODS: Record<ProtocolName, readonly Method[]> = {
  imap: ["password", "plain", "login", "cram-md5", "external"],
  pop3: ["password", "plain", "login", "cram-md5", "external", "apop"],
  smtp: ["plain", "login", "cram-md5", "external"],
};

const DIGEST = "0123456789abcdef0123456789abcdef";

let site: AttackSite<ProtocolName>;

before(async () => {
  site = await startAttackSite(
    `starttls on;
     imap_auth plain login cram-md5 external; pop3_auth plain apop cram-md5 external;
     smtp_auth plain login cram-md5 external;`,
    {
      imap: "listen 127.0.0.1:PORT; protocol imap;",
      pop3: "listen 127.0.0.1:PORT; protocol pop3;",
      smtp: "listen 127.0.0.1:PORT; protocol smtp; proxy_smtp_auth on; xclient off;",
    },
  );
  // The first attempt of a session is refused, with headers that belong to a yes.
  site.answer = (lookup) => {
    const port = site.mailbox[lookup.header("Auth-Protocol") as ProtocolName].port;
    if (lookup.header("Auth-Login-Attempt") !== "1") {
      return route(port, { "Auth-User": anna.login, "Auth-Pass": anna.password });
    }
    const yes = { "Auth-Server": "127.0.0.1", "Auth-Port": 9, "Auth-User": "root" };
    return reply(200, { "Auth-Status": "no", "Auth-Wait": 1, "Auth-Pass": "toor-toor", ...yes });
  };
});
after(() => site.stop());

/** Says a line and returns the answer. */
async function say(wire: Wire, line: string): Promise<string> {
  wire.write(`${line}\r\n`);
  return wire.line();
}

/** Logs in by the method; returns the final answer. */
async function logIn(
  protocol: ProtocolName,
  wire: Wire,
  method: Method,
  name: string,
): Promise<string> {
  const auth = { imap: "a AUTHENTICATE", pop3: "AUTH", smtp: "AUTH" }[protocol];
  const secret = `pass-of-${name}`;
  switch (method) {
    case "password":
      if (protocol === "imap") return say(wire, `a LOGIN ${name} ${secret}`);
      assert.equal(await say(wire, `USER ${name}`), "+OK");
      return say(wire, `PASS ${secret}`);
    case "plain":
      await say(wire, `${auth} PLAIN`);
      return say(wire, btoa(`\0${name}\0${secret}`));
    case "login":
      await say(wire, `${auth} LOGIN`);
      await say(wire, btoa(name));
      return say(wire, btoa(secret));
    case "cram-md5":
      await say(wire, `${auth} CRAM-MD5`);
      return say(wire, btoa(`${name} ${DIGEST}`));
    case "external":
      await say(wire, `${auth} EXTERNAL`);
      return say(wire, btoa(name));
    case "apop":
      return say(wire, `APOP ${name} ${DIGEST}`);
  }
}

/** The credential lines of the lookup that a login by this method makes. */
function expected(method: Method, name: string): readonly string[] {
  const digest = method === "cram-md5" || method === "apop";
  const proof = digest ? DIGEST : method === "external" ? "" : `pass-of-${name}`;
  const shown = digest || method === "external" ? method : "plain";
  return [`Auth-Method: ${shown}`, `Auth-User: ${name}`, `Auth-Pass: ${proof}`];
}

describe("carried credentials", { concurrency: true }, () => {
  for (const protocol of protocolNames) {
    describe(`${protocol}: a login after a refused one`, { concurrency: true }, () => {
      for (const first of METHODS[protocol]) {
        for (const second of METHODS[protocol]) {
          test(`by ${second} after ${first} is looked up with its own credentials and no others`, async () => {
            const wire = await greeted(protocol, site.postern.ports[protocol]);
            const names = [
              `first-${crypto.randomUUID()}`,
              `second-${crypto.randomUUID()}`,
            ] as const;
            assert.match(await logIn(protocol, wire, first, names[0]), /no$/);
            assert.match(await logIn(protocol, wire, second, names[1]), granted[protocol]);
            const { lines, header } = site.lookupFor(names[1]);
            const told = lines.filter((line) => /^Auth-(?:Method|User|Pass):/.test(line));
            assert.deepEqual(
              told.map((line) => line.trim()),
              expected(second, names[1]).map((line) => line.trim()),
            );
            assert.equal(header("Auth-Login-Attempt"), "2");
            assert.ok(!lines.join().includes("first-"), lines.join("\n"));
            const salted = second === "cram-md5" || second === "apop";
            assert.equal(header("Auth-Salt") !== undefined, salted);
            wire.end();
          });
        }
      }
    });
  }

  for (const protocol of protocolNames) {
    test(`${protocol}: a login that is cancelled by * leaves nothing: neither name nor password`, async () => {
      const auth = { imap: "a AUTHENTICATE", pop3: "AUTH", smtp: "AUTH" }[protocol];
      const wire = await greeted(protocol, site.postern.ports[protocol]);
      const name = `cancelled-${crypto.randomUUID()}`;
      await say(wire, `${auth} LOGIN`);
      await say(wire, btoa(name));
      const cancelled = await say(wire, "*");
      assert.match(cancelled, /cancelled/i);
      assert.doesNotMatch(cancelled, granted[protocol]);
      // The password that would have completed it is a command now, and no valid one.
      assert.match(await say(wire, btoa("a password")), /BAD|-ERR|^500/);
      assert.doesNotMatch(await logIn(protocol, wire, "plain", `own-${name}`), /cancel/);
      const named = site.lookups.filter((lookup) => lookup.lines.join().includes(name));
      assert.deepEqual(
        named.map(({ header }) => header("Auth-User")),
        [`own-${name}`],
      );
      wire.end();
    });
  }
  describe("pop3: the name of USER", () => {
    test("does not outlast a refused PASS", async () => {
      const wire = await greeted("pop3", site.postern.ports.pop3);
      const name = `user-${crypto.randomUUID()}`;
      assert.match(await logIn("pop3", wire, "password", name), /^-ERR no/);
      assert.match(await say(wire, `PASS pass-of-${name}`), /^-ERR invalid/);
      const made = site.lookups.filter((lookup) => lookup.header("Auth-User") === name);
      assert.equal(made.length, 1);
      wire.end();
    });

    test("does not outlast another command between USER and PASS, STLS least of all", async () => {
      for (const between of ["AUTH", "STLS", "APOP a b", "USER bob", "PASS", "XYZZY"]) {
        const wire = await greeted("pop3", site.postern.ports.pop3);
        assert.equal(await say(wire, "USER mallory-in-between"), "+OK");
        assert.match(await say(wire, between), /^-ERR/);
        assert.match(await say(wire, "PASS whatever-it-is"), /^-ERR invalid/);
        wire.end();
      }
      assert.ok(site.lookups.every(({ lines }) => !lines.join().includes("in-between")));
    });
  });
});
