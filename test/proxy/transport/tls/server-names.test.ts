// Which certificate a client is shown for the host that it names, and what it costs that there are many.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, test } from "node:test";
import type { ConnectionOptions } from "node:tls";
import { type ServerContexts, SocketServerTls } from "../../../../proxy/transport/index.ts";
import { issue } from "../../../support/authority.ts";
import type { Certificate } from "../../../support/certificate.ts";
import { handshake, visit } from "../../../support/handshake.ts";
import { serverContexts } from "../../../support/server-tls.ts";

const standard = issue("/CN=standard");
const a = issue("/CN=a");
const b = issue("/CN=b");
const weak = issue("/CN=weak", { rsa: true, bits: 1024 });
const NAMES = { "a.test": "a", "*.b.test": "b", "standard.test": "", "weak.test": "weak" };
const PAIRS: Readonly<Record<string, readonly Certificate[]>> = { a: [a], b: [b], weak: [weak] };

type Asked = { readonly contexts: ServerContexts; readonly asked: string[] };

/** Contexts that ask for what they show, and all that they have asked for. */
async function contexts(
  refused: (why: string) => void = assert.fail,
  names: Readonly<Record<string, string>> = NAMES,
): Promise<Asked> {
  const asked: string[] = [];
  const made = await serverContexts(
    "",
    {},
    {
      refused,
      pairs: async (id) => {
        asked.push(id);
        return PAIRS[id] ?? null;
      },
    },
  );
  made.show(shown(names));
  return { contexts: made, asked };
}

function shown(names: Readonly<Record<string, string>>, pair = standard) {
  return { standard: [pair], names: new Map(Object.entries(names)), ticketKeys: [] };
}

/** The name in the certificate that a client is shown. */
async function subject(made: ServerContexts, options: ConnectionOptions = {}): Promise<string> {
  const { client } = await handshake(options, new SocketServerTls(made, "imap"));
  const { subject: name } = new X509Certificate(client.getPeerCertificate(true).raw);
  client.destroy();
  return name;
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  const naming = (servername: string): ConnectionOptions => ({ servername, maxVersion: version });

  describe(`by ${version}`, () => {
    const SHOWN: Readonly<Record<string, string>> = {
      "a.test": "CN=a",
      "A.Test": "CN=a",
      "x.b.test": "CN=b",
      "b.test": "CN=standard",
      "x.y.b.test": "CN=standard",
      "*.b.test": "CN=b",
      "standard.test": "CN=standard",
      test: "CN=standard",
      "weak.test": "CN=standard",
    };
    for (const [host, name] of Object.entries(SHOWN)) {
      test(`who names ${host} is shown ${name}`, async () => {
        const { contexts: made } = await contexts(() => {});
        assert.equal(await subject(made, naming(host)), name);
      });
    }

    test("who names none is shown the default", async () => {
      const { contexts: made, asked } = await contexts();
      assert.equal(await subject(made, { maxVersion: version }), "CN=standard");
      assert.deepEqual(asked, []);
    });

    test("a session is resumed with the host that it began with", async () => {
      const { contexts: made } = await contexts();
      const server = new SocketServerTls(made, "imap");
      const { session } = await visit(naming("a.test"), server);
      const { tls } = await visit({ ...naming("a.test"), session: session! }, server);
      assert.equal(tls.resumed, true);
    });

    test("tickets of the key before hold, those of the one before that do not", async () => {
      const keys = [1, 2, 3].map((byte) => new Uint8Array(48).fill(byte));
      const [first, second, third] = keys as [Uint8Array, Uint8Array, Uint8Array];
      let current: readonly [Uint8Array, ...Uint8Array[]] = [first];
      const made = await serverContexts("", {}, { ticketKeys: () => current });
      const server = new SocketServerTls(made, "imap");
      const resumes = async (session: Buffer): Promise<boolean> =>
        (await visit({ ...naming("a.test"), session }, server)).tls.resumed;
      const { session: early } = await visit(naming("a.test"), server);
      current = [second, first];
      const { session: late } = await visit(naming("a.test"), server);
      assert.deepEqual([await resumes(early!), await resumes(late!)], [true, true]);
      current = [third, second];
      assert.deepEqual([await resumes(early!), await resumes(late!)], [false, true]);
    });
  });
}

test("what is shown from now on is shown to the next client, and whoever is there stays", async () => {
  const { contexts: made } = await contexts();
  const { client, connection, ear } = await handshake({}, new SocketServerTls(made, "imap"));
  made.show(shown({ "x.test": "b" }, a));
  assert.equal(await subject(made), "CN=a");
  assert.equal(await subject(made, { servername: "x.test" }), "CN=b");
  assert.equal(await subject(made, { servername: "a.test" }), "CN=a");
  client.write("still here");
  client.end();
  await ear.ending.promise;
  assert.equal(ear.text, "still here");
  connection.close();
});

test("what OpenSSL refuses is told, and the default stays as it was", async () => {
  const told: string[] = [];
  const { contexts: made } = await contexts((why) => told.push(why));
  made.show(shown(NAMES, weak));
  assert.equal(await subject(made), "CN=standard");
  assert.match(
    told.join("\n"),
    /^cannot use the certificate of "CN=weak" \(SSL: error:0A00018F:SSL routines::ee key too small\)$/,
  );
});

test("who names a host whose certificate is renewed just then is shown the new one", async () => {
  const made = await serverContexts(
    "",
    {},
    {
      pairs: async (id) => {
        if (id === "a") return [a];
        made.show(shown({ "a.test": "a" }));
        return null;
      },
    },
  );
  made.show(shown({ "a.test": "gone" }));
  assert.equal(await subject(made, { servername: "a.test" }), "CN=a");
});

test("each certificate is asked for once, when a client first names its host, however many there are", async () => {
  const many = Array.from({ length: 10_000 }, (_, index) => [`host${index}.test`, `${index}`]);
  const { contexts: made, asked } = await contexts(() => {}, {
    ...Object.fromEntries(many),
    ...NAMES,
  });
  assert.deepEqual(asked, []);
  const hosts = ["a.test", "x.b.test", "y.b.test", "a.test", "none.test"];
  await Promise.all(hosts.map((servername) => subject(made, { servername })));
  assert.deepEqual(new Set(asked), new Set(["a", "b"]));
  assert.equal(asked.length, 2);
});
