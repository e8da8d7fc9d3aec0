// The complete example of nginx's guide "Configuring NGINX as a Mail Proxy Server".
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test, type TestContext } from "node:test";
import { writeCertificate } from "../../../support/certificates/certificate.ts";
import { greetedSecurely, protocolNames } from "../../../support/peers/mail-client.ts";
import { startPostern } from "../../../support/real-servers/index.ts";
import { freePorts } from "../../../support/programs/ports.ts";
import { makeSite, postern } from "../site.ts";

const example = `worker_processes auto;

mail {
    server_name mail.example.com;
    auth_http   localhost:9000/cgi-bin/nginxauth.cgi;

    proxy_pass_error_message on;

    ssl                 on;
    ssl_certificate     /etc/ssl/certs/server.crt;
    ssl_certificate_key /etc/ssl/certs/server.key;
    ssl_protocols       TLSv1 TLSv1.1 TLSv1.2;
    ssl_ciphers         HIGH:!aNULL:!MD5;
    ssl_session_cache   shared:SSL:10m;
    ssl_session_timeout 10m;

    server {
        listen     25;
        protocol   smtp;
        smtp_auth  login plain cram-md5;
    }

    server {
        listen    110;
        protocol  pop3;
        pop3_auth plain apop cram-md5;
}

     server {
        listen   143;
        protocol imap;
    }
}
`;

/** With certificates that exist. */
const usable = example
  .replace("/etc/ssl/certs/server.crt", "certificate.pem")
  .replace("/etc/ssl/certs/server.key", "key.pem");

/** Its ports are the system's. */
const skip = process.getuid?.() !== 0 && "not root";

async function examined(t: TestContext): Promise<{ site: string; stderr: string }> {
  const site = await makeSite(t, { "mail.conf": usable });
  await writeCertificate(site);
  const { end, stderr } = await postern(site, "-t");
  assert.equal(end, 0, stderr);
  return { site, stderr };
}

test("the guide's example is understood", { skip }, async (t) => {
  const { site, stderr } = await examined(t);
  assert.match(stderr, /syntax is ok\n.* test is successful\n$/);
  assert.equal(await readFile(join(site, "mail.conf"), "utf8"), usable);
});

test(
  "its TLS versions that OpenSSL no longer has are named with their line",
  { skip },
  async (t) => {
    const { stderr } = await examined(t);
    assert.match(
      stderr,
      /\[notice\] "ssl_protocols" enables TLSv1, TLSv1\.1 only with "@SECLEVEL=0" in ssl_ciphers: OpenSSL 3 .* in \S+mail\.conf:12\n/,
    );
  },
);

test("the unchanged example fails with the name of the missing certificate", async (t) => {
  const site = await makeSite(t, { "mail.conf": example });
  const { end, stderr } = await postern(site, "-t");
  assert.equal(end, 1);
  assert.match(stderr, /"\/etc\/ssl\/certs\/server\.crt".*No such file/);
});

describe("the guide's example on other ports", () => {
  let ports: Readonly<Record<(typeof protocolNames)[number], number>>;
  let text: string;
  before(async () => {
    const [smtp = 0, pop3 = 0, imap = 0] = await freePorts(3);
    ports = { smtp, pop3, imap };
    text = usable
      .replace(/listen +25;/, `listen 127.0.0.1:${smtp};`)
      .replace(/listen +110;/, `listen 127.0.0.1:${pop3};`)
      .replace(/listen +143;/, `listen 127.0.0.1:${imap};`);
  });

  test("greets under TLS in all three protocols", async (t) => {
    const proxy = await startPostern(text);
    t.after(() => proxy.stop());
    for (const protocol of protocolNames) {
      (await greetedSecurely(protocol, ports[protocol])).end();
    }
  });
});
