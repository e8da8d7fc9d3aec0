// Abuse of each protocol's grammar before the login: literals, tags, continuations, cancellations, overlong lines, chunks
// and pipelining. What a client means as data is never a command, and nothing is held beyond its bound.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { type AttackSite, startAttackSite } from "../../support/peers/attack-site.ts";
import { reply } from "../../support/peers/lookup-endpoint.ts";
import { anna } from "../../support/peers/mail-client.ts";
import { RawClient } from "../../support/peers/raw-client.ts";

let site: AttackSite<ProtocolName | "open">;

before(async () => {
  const auth = "imap_auth plain login cram-md5; pop3_auth plain cram-md5; smtp_auth plain login;";
  site = await startAttackSite(`${auth} timeout 1s;`, {
    imap: "listen 127.0.0.1:PORT; protocol imap;",
    pop3: "listen 127.0.0.1:PORT; protocol pop3;",
    smtp: "listen 127.0.0.1:PORT; protocol smtp; proxy_smtp_auth on; xclient off;",
    open: 'listen 127.0.0.1:PORT; protocol smtp; smtp_auth none; smtp_capabilities "CHUNKING" "PIPELINING";',
  });
});
after(() => site.stop());

/** Sends it all, half-closes where the session goes on, and returns the lines of the answer but for the greeting. */
async function answers(on: ProtocolName | "open", ...pieces: readonly string[]): Promise<string[]> {
  const client = await RawClient.connect(site.postern.ports[on]);
  await client.until(/\r\n$/);
  await client.send(...pieces);
  client.socket.end();
  const lines = (await client.closed).split("\r\n").slice(1, -1);
  await site.session(client);
  return lines;
}

/** Lookups that a test made. */
async function lookupsOf(work: () => Promise<unknown>): Promise<number> {
  const made = site.lookups.length;
  await work();
  return site.lookups.length - made;
}

describe("imap: literals", () => {
  const hidden = "x LOGIN mallory password\r\n";
  const size = `${hidden.length}`;

  test("a literal is data, in whichever command and place, and never a command", async () => {
    const commands: Readonly<Record<string, readonly string[]>> = {
      "as a login's name": [`a LOGIN {${size}}\r\n`, hidden, " p\r\n"],
      "as a password": [`a LOGIN n {${size}+}\r\n${hidden}\r\n`],
      "as a mechanism": [`a AUTHENTICATE {${size}+}\r\n${hidden}\r\n`],
      "behind a command that takes none": [`a NOOP {${size}+}\r\n${hidden}\r\n`],
      "behind one argument too many": [`a LOGIN 1 2 3 {${size}+}\r\n${hidden}\r\n`],
      "behind an unknown command": [`a XYZZY {${size}+}\r\n${hidden}\r\n`],
      "behind an invalid tag": [`* LOGIN {${size}+}\r\n${hidden}\r\n`],
      "behind more than one CR": [`a XYZZY {${size}+}\r\r\r\n${hidden}\r\n`],
      "of 8-bit data (RFC 3516)": [`a LOGIN ~{${size}+}\r\n${hidden}\r\n`],
      "behind STARTTLS": [`a STARTTLS {${size}+}\r\n${hidden}\r\n`],
      "within another literal": [
        `a LOGIN {${size.length + 4}+}\r\n{${size}+}\r {${size}+}\r\n${hidden}\r\n`,
      ],
    };
    for (const [where, pieces] of Object.entries(commands)) {
      const made = await lookupsOf(async () => {
        const lines = await answers("imap", ...pieces);
        for (const line of lines) assert.doesNotMatch(line, /^x /, where);
      });
      assert.equal(made, 0, where);
    }
  });

  test("a literal that cannot fit is refused before it is held", async () => {
    for (const huge of ["4097", "999999999", "9".repeat(400), "18446744073709551617"]) {
      for (const plus of ["", "+"]) {
        const lines = await answers("imap", `a LOGIN {${huge}${plus}}\r\n`, "y".repeat(70_000));
        assert.equal(lines.at(-1), "a BAD invalid command", `{${huge}${plus}}`);
      }
    }
  });

  test("a size that is no number is an invalid command", async () => {
    const sizes = [
      "{-1}",
      "{-1+}",
      "{0x5}",
      "{5-}",
      "{5 }",
      "{ 5}",
      "{5",
      "{1.5}",
      "{{5}}",
      "{5++}",
      "{\xb2}",
    ];
    for (const each of sizes) {
      const [line] = await answers("imap", `a LOGIN ${each}\r\n`);
      assert.match(line ?? "", /^(?:a|\*) BAD/, each);
    }
  });

  test("many literals in one command count against its bound together", async () => {
    const made = await lookupsOf(async () => {
      const lines = await answers(
        "imap",
        `a LOGIN {3000+}\r\n${"u".repeat(3000)} {3000+}\r\n${"p".repeat(3000)}\r\n`,
      );
      assert.equal(lines.at(-1), "a BAD invalid command");
    });
    assert.equal(made, 0);
  });
});

describe("imap: tags and continuations", () => {
  test("a tag that a client could confuse with another answer is not accepted", async () => {
    const tags = [
      "*",
      "+",
      "",
      "\xe4",
      "a\0",
      "a*",
      "a+b",
      "(",
      "{5}",
      '"a"',
      "a\\",
      "%",
      "x".repeat(33),
    ];
    for (const tag of tags) {
      const [line] = await answers("imap", `${tag} NOOP\r\n`);
      assert.equal(line, "* BAD invalid command", JSON.stringify(tag));
    }
  });

  test("the tag that the proxy uses upstream is as good as any other", async () => {
    const client = await RawClient.connect(site.postern.ports.imap);
    await client.send(`postern LOGIN ${anna.login} ${anna.password}\r\n`);
    assert.match(await client.until(/postern .*\r\n$/), /\npostern OK .*Logged in\r\n$/);
    await client.leave();
  });

  test("the answer to a challenge is no command, and a cancelled login leaves the next line a command", async () => {
    for (const [mechanism, ...said] of [["PLAIN"], ["LOGIN"], ["LOGIN", btoa("x")], ["CRAM-MD5"]]) {
      const begin = `a AUTHENTICATE ${mechanism}\r\n${said.map((each) => `${each}\r\n`).join("")}`;
      const made = await lookupsOf(async () => {
        const cancelled = await answers("imap", `${begin}*\r\nb NOOP\r\n`);
        assert.deepEqual(cancelled.slice(-2), ["a BAD authentication cancelled", "b OK completed"]);
        const wrong = await answers("imap", `${begin}b NOOP\r\nc NOOP\r\n`);
        assert.match(wrong.at(-2) ?? "", /^a BAD/);
        assert.equal(wrong.at(-1), "c OK completed");
      });
      assert.equal(made, 0);
    }
  });
});

describe("pop3", () => {
  test("overlong arguments end the session, and none is cut to a shorter name", async () => {
    for (const line of [
      `USER ${"u".repeat(600)}`,
      `USER u\r\nPASS ${"p".repeat(600)}`,
      `APOP ${"a".repeat(600)} x`,
    ]) {
      const made = await lookupsOf(async () => {
        assert.equal((await answers("pop3", `${line}\r\nNOOP\r\n`)).at(-1), "-ERR invalid command");
      });
      assert.equal(made, 0);
    }
  });

  test("CAPA and AUTH tell nothing about a user, before and after USER", async () => {
    const listed = await answers("pop3", "CAPA\r\nAUTH\r\n");
    const known = await answers("pop3", `USER ${anna.login}\r\nCAPA\r\n`);
    const unknown = await answers("pop3", "USER nobody\r\nCAPA\r\n");
    assert.deepEqual(known, unknown);
    assert.ok(listed.length > known.length);
  });
});

describe("smtp", () => {
  const hidden = "RSET\r\nMAIL FROM:<mallory@evil.test>\r\nRCPT TO:<victim@b.test>\r\n";

  test("a chunk behind a refused recipient is no command: the session ends at BDAT (RFC 3030)", async () => {
    site.answer = () => reply(200, { "Auth-Status": "no", "Auth-Wait": 1 });
    const made = await lookupsOf(async () => {
      const lines = await answers(
        "open",
        `EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT ${hidden.length} LAST\r\n${hidden}`,
      );
      assert.match(lines.at(-2) ?? "", /^535 5\.7\.0 no/);
      assert.equal(lines.at(-1), "500 5.5.1 Invalid command");
    });
    assert.equal(made, 1);
  });

  test("a chunk before any recipient is no command either, whatever its size says", async () => {
    for (const size of ["5", "0 LAST", "-1", "99999999999999999999", "", "x"]) {
      const made = await lookupsOf(async () => {
        for (const start of ["", "EHLO x\r\n", "EHLO x\r\nMAIL FROM:<a@b>\r\n"]) {
          const lines = await answers("open", `${start}bdat ${size}\r\n${hidden}`);
          assert.equal(lines.at(-1), "500 5.5.1 Invalid command", size);
        }
      });
      assert.equal(made, 0);
    }
  });

  test("AUTH with an empty, cancelled or overlong initial response makes no lookup", async () => {
    const commands = [
      "AUTH PLAIN =",
      "AUTH PLAIN *",
      "AUTH PLAIN\r\n*",
      "AUTH LOGIN =\r\n*",
      "AUTH PLAIN AAAA BBBB",
    ];
    const made = await lookupsOf(async () => {
      for (const command of [...commands, `AUTH PLAIN ${"A".repeat(13_000)}`]) {
        for (const line of await answers("smtp", `${command}\r\n`))
          assert.match(line, /^(?:334|5)/);
      }
    });
    assert.equal(made, 0);
  });

  test("a bare CR or a NUL within a command makes it invalid, and splits nothing", async () => {
    for (const byte of ["\r", "\0", "\r\r"]) {
      const made = await lookupsOf(async () => {
        const lines = await answers(
          "open",
          `EHLO x\r\nMAIL FROM:<a@b>${byte}RCPT TO:<c@d>\r\nRCPT TO:<e@f>${byte}DATA\r\n`,
        );
        assert.match(lines.at(-2) ?? "", /^50[01]/);
        assert.match(lines.at(-1) ?? "", /^50[013]/);
      });
      assert.equal(made, 0);
    }
  });
});

test("commands behind a refused login in one segment are answered one by one, each once", async () => {
  site.answer = () => reply(200, { "Auth-Status": "no", "Auth-Wait": 1 });
  const lines = await answers(
    "imap",
    "a LOGIN x y\r\nb NOOP\r\nc LOGIN x z\r\nd LOGOUT\r\ne NOOP\r\n",
  );
  assert.deepEqual(lines, ["a NO no", "b OK completed", "c NO no", "* BYE", "d OK completed"]);
});
