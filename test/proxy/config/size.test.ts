import assert from "node:assert/strict";
import { test } from "node:test";
import { configure } from "../../support/configuration.ts";
import { cost } from "../../support/cost.ts";

/** ms to read a configuration of so many servers. */
function time(count: number): number {
  const servers = Array.from({ length: count }, (_, index) => {
    const address = `127.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
    return `server { listen ${address}:143; timeout 1m; server_name "mail ${index}"; }`;
  });
  const text = `mail { auth_http h;\n${servers.join("\n")}\n}`;
  return cost(() => assert.equal(configure(text).servers.length, count), 3);
}

test("ten times the servers take some ten times as long, not a hundred", () => {
  time(100);
  const few = time(1000);
  const many = time(10_000);
  assert.ok(many < few * 40, `${few} ms, then ${many} ms`);
});
