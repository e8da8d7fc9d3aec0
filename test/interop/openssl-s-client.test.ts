// Sessions of `openssl s_client` over TLS 1.2 and 1.3, with STARTTLS and without.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { issue } from "../support/certificates/authority.ts";
import { protocolNames } from "../support/peers/mail-client.ts";
import { run } from "../support/programs/program.ts";
import { type Servers, startServers } from "../support/programs/servers.ts";

const root = issue("/CN=root", { ca: true });
const anna = issue("/CN=anna", { by: root });
const securities = ["ssl", "starttls"] as const;
type Name = `${(typeof protocolNames)[number]} ${(typeof securities)[number]}`;
const names = protocolNames.flatMap((protocol) =>
  securities.map((security): Name => `${protocol} ${security}`),
);

let directory: string;
let postern: Servers<Name>;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "postern-"));
  await writeFile(join(directory, "anna.pem"), anna.certificate + anna.key);
  await writeFile(join(directory, "root.crt"), root.certificate);
  const servers = names.map((name) => {
    const [protocol, security] = name.split(" ");
    const tls =
      security === "ssl" ? "listen 127.0.0.1:PORT ssl;" : "listen 127.0.0.1:PORT; starttls on;";
    return [name, `${tls} protocol ${protocol};`] as const;
  });
  postern = await startServers(
    `auth_http 127.0.0.1:9; ssl_verify_client on; ssl_client_certificate ${directory}/root.crt;`,
    Object.fromEntries(servers) as Record<Name, string>,
  );
});
after(async () => {
  await postern.stop();
  await rm(directory, { recursive: true });
});

const GOODBYE = { imap: "z LOGOUT\r\n", pop3: "QUIT\r\n", smtp: "QUIT\r\n" };

/** The whole output of openssl for a session that ends with a goodbye. */
async function client(name: Name, ...options: readonly string[]): Promise<string> {
  const [protocol, security] = name.split(" ") as [keyof typeof GOODBYE, string];
  const starttls = security === "ssl" ? [] : ["-starttls", protocol];
  const args = [
    "s_client",
    "-connect",
    `127.0.0.1:${postern.ports[name]}`,
    ...starttls,
    ...options,
  ];
  // Without -ign_eof openssl ends at the end of its input, or at a line that begins with Q.
  const all = [...args, "-ign_eof", "-cert", "anna.pem"];
  const { stdout, stderr } = await run("openssl", all, {
    cwd: directory,
    input: GOODBYE[protocol],
  });
  return stdout + stderr;
}

describe("openssl s_client", { concurrency: 4 }, () => {
  for (const name of names) {
    const protocol = name.split(" ")[0]!;

    for (const version of ["-tls1_2", "-tls1_3"]) {
      test(`speaks ${name} by ${version}, and comes back to its session`, async () => {
        const session = `${name.replace(" ", "-")}${version}.session`;
        const first = await client(name, version, "-sess_out", session);
        assert.match(first, /^New, TLSv1\.[23], Cipher is /m);
        const again = await client(name, version, "-sess_in", session);
        assert.match(again, /^Reused, TLSv1\.[23], Cipher is /m);
      });
    }

    test(`agrees on ${protocol} by ALPN with ${name}, and on nothing else`, async () => {
      assert.match(
        await client(name, "-alpn", `h2,${protocol}`),
        new RegExp(`^ALPN protocol: ${protocol}$`, "m"),
      );
      assert.match(await client(name), /^No ALPN negotiated$/m);
      assert.match(await client(name, "-alpn", "h2,http/1.1"), /alert no application protocol/);
    });

    test(`is asked for a certificate of the authority by ${name}`, async () => {
      assert.match(await client(name), /^Acceptable client certificate CA names\nCN = root$/m);
    });
  }
});
