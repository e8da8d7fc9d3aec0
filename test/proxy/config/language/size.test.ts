import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerTlsContexts } from "../../../../proxy/certificates/index.ts";
import { issue, pairFiles } from "../../../support/certificates/authority.ts";
import { configure } from "../../../support/proxy/configuration.ts";
import { cost } from "../../../support/programs/cost.ts";

/** @returns ms to read a configuration with this number of servers */
function servers(count: number): number {
  const blocks = Array.from({ length: count }, (_, index) => {
    const address = `127.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
    return `server { listen ${address}:143; timeout 1m; server_name "mail ${index}"; }`;
  });
  const text = `mail { auth_http h;\n${blocks.join("\n")}\n}`;
  return cost(() => assert.equal(configure(text).servers.length, count), 3);
}

const one = issue("/CN=mail.test");

/** @returns ms to read this number of servers with one certificate, and to make their TLS contexts */
function tlsServers(count: number): number {
  const pair = "ssl_certificate one.crt; ssl_certificate_key one.key;";
  const blocks = Array.from({ length: count }, (_, index) => {
    const address = `127.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
    return `server { listen ${address}:993 ssl; protocol imap; ${pair} }`;
  });
  const text = `mail { auth_http h;\n${blocks.join("\n")}\n}`;
  const files = pairFiles({ one });
  return cost(() => {
    const { servers: all, certificates } = configure(text, files);
    const tls = new ServerTlsContexts(certificates.material.servers, [new Uint8Array(48)], {
      pairs: () => Promise.resolve(null),
      refused() {},
    });
    const made = new Set(all.map((server) => tls.of(server)));
    assert.equal(made.size, 1);
  }, 3);
}

/** @returns ms to read a block with this number of directives that add up */
function list(count: number): number {
  const lines = Array.from({ length: count }, (_, index) => `auth_http_header X ${index};`);
  const text = `mail { auth_http h; server { listen 143; ${lines.join("\n")} } }`;
  return cost(() => assert.equal(configure(text).servers[0]?.auth_http_header.length, count), 3);
}

for (const [what, time] of Object.entries({
  servers,
  "servers under TLS": tlsServers,
  "lines of a list": list,
})) {
  test(`ten times the ${what} take about ten times as long, not a hundred`, () => {
    time(100);
    const few = time(1000);
    const many = time(10_000);
    assert.ok(many < few * 40, `${few} ms, then ${many} ms`);
  });
}
