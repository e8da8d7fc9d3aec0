// The certificate that a client gets for the host that it names, and the cost of many certificates.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, test } from "node:test";
import type { ConnectionOptions } from "node:tls";
import type { ServerContexts } from "../../../proxy/certificates/server-contexts.ts";
import { SocketServerTls, TicketKeyRing } from "../../../proxy/transport/index.ts";
import { issue } from "../../support/certificates/authority.ts";
import type { Certificate } from "../../support/certificates/certificate.ts";
import { handshake, visit } from "../../support/transport/handshake.ts";
import { serverContexts } from "../../support/transport/server-tls.ts";

const standard = issue("/CN=standard");
const a = issue("/CN=a");
const b = issue("/CN=b");
const weak = issue("/CN=weak", { rsa: true, bits: 1024 });
const NAMES = { "a.test": "a", "*.b.test": "b", "standard.test": "", "weak.test": "weak" };
const PAIRS: Readonly<Record<string, readonly Certificate[]>> = { a: [a], b: [b], weak: [weak] };

type Asked = { readonly contexts: ServerContexts; readonly asked: string[] };

/** Contexts that ask for certificates, and the ids that they have asked for. */
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
  made.renew(renewable(names));
  return { contexts: made, asked };
}

function renewable(names: Readonly<Record<string, string>>, pair = standard) {
  return { default: [pair], names: new Map(Object.entries(names)), ticketKeys: [] };
}

/** The name in the certificate that a client gets. */
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
      test(`a client that names ${host} gets ${name}`, async () => {
        const { contexts: made } = await contexts(() => {});
        assert.equal(await subject(made, naming(host)), name);
      });
    }

    test("a client that names no host gets the default", async () => {
      const { contexts: made, asked } = await contexts();
      assert.equal(await subject(made, { maxVersion: version }), "CN=standard");
      assert.deepEqual(asked, []);
    });

    test("a client resumes a session with the host that it began with", async () => {
      const { contexts: made } = await contexts();
      const server = new SocketServerTls(made, "imap");
      const { session } = await visit(naming("a.test"), server);
      const { tls } = await visit({ ...naming("a.test"), session: session! }, server);
      assert.equal(tls.resumed, true);
    });

    test("tickets of the current key and the key before are valid, older tickets are not", async () => {
      const keys = [1, 2, 3].map((byte) => new Uint8Array(48).fill(byte));
      const [first, second, third] = keys as [Uint8Array, Uint8Array, Uint8Array];
      const ring = new TicketKeyRing([first]);
      const made = await serverContexts("", {}, { ticketKeys: ring });
      const server = new SocketServerTls(made, "imap");
      const resumes = async (session: Buffer): Promise<boolean> =>
        (await visit({ ...naming("a.test"), session }, server)).tls.resumed;
      const { session: early } = await visit(naming("a.test"), server);
      ring.set([second, first]);
      const { session: late } = await visit(naming("a.test"), server);
      assert.deepEqual([await resumes(early!), await resumes(late!)], [true, true]);
      ring.set([third, second]);
      assert.deepEqual([await resumes(early!), await resumes(late!)], [false, true]);
    });
  });
}

test("the next client gets a renewed certificate, and a client that is there stays", async () => {
  const { contexts: made } = await contexts();
  const { client, connection, receiver } = await handshake({}, new SocketServerTls(made, "imap"));
  made.renew(renewable({ "x.test": "b" }, a));
  assert.equal(await subject(made), "CN=a");
  assert.equal(await subject(made, { servername: "x.test" }), "CN=b");
  assert.equal(await subject(made, { servername: "a.test" }), "CN=a");
  client.write("still here");
  client.end();
  await receiver.ending.promise;
  assert.equal(receiver.text, "still here");
  connection.close();
});

test("a renewed default that OpenSSL refuses is reported, and the old default stays", async () => {
  const errors: string[] = [];
  const { contexts: made } = await contexts((why) => errors.push(why));
  made.renew(renewable(NAMES, weak));
  assert.equal(await subject(made), "CN=standard");
  assert.match(
    errors.join("\n"),
    /^cannot use the certificate of "CN=weak" \(SSL: error:0A00018F:SSL routines::ee key too small\)$/,
  );
});

test("a client whose certificate is renewed while it is asked for gets the new one", async () => {
  const made = await serverContexts(
    "",
    {},
    {
      pairs: async (id) => {
        if (id === "a") return [a];
        made.renew(renewable({ "a.test": "a" }));
        return null;
      },
    },
  );
  made.renew(renewable({ "a.test": "gone" }));
  assert.equal(await subject(made, { servername: "a.test" }), "CN=a");
});

test("each of many certificates is asked for once, when a client first names its host", async () => {
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

test("a handshake waits for no promise once the context of its host is made", async () => {
  const { contexts: made } = await contexts();
  const context = await made.named("a.test");
  const used: unknown[] = [];
  made.choose?.("a.test", (_error, chosen) => used.push(chosen));
  made.choose?.("none.test", (_error, chosen) => used.push(chosen));
  assert.notEqual(context, null);
  assert.deepEqual(used, [context, undefined]);
});

test("a server that has one certificate chooses none by name", async () => {
  const { contexts: made } = await contexts(assert.fail, {});
  assert.equal(made.choose, null);
});
