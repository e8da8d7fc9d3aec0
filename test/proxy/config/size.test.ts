import assert from "node:assert/strict";
import { test } from "node:test";
import { configure } from "../../support/configuration.ts";

/** ms to read a configuration of so many servers: the best of three. */
function time(count: number): number {
  const servers = Array.from({ length: count }, (_, index) => {
    return `server { listen 127.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}:143; timeout 1m; server_name "mail ${index}"; }`;
  });
  const text = `mail { auth_http h;\n${servers.join("\n")}\n}`;
  const runs = [1, 2, 3].map(() => {
    const start = performance.now();
    assert.equal(configure(text).servers.length, count);
    return performance.now() - start;
  });
  return Math.min(...runs);
}

test("ten times the servers take some ten times as long, not a hundred", () => {
  time(100);
  const few = time(1000);
  const many = time(10_000);
  assert.ok(many < few * 40, `${few} ms, then ${many} ms`);
});
