import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { tlsMode } from "../../../proxy/upstream/tls-mode.ts";

describe("without a mode from the lookup or proxy_ssl, port", () => {
  for (const port of [993, 995, 465]) {
    test(`${port} uses TLS`, () => assert.equal(tlsMode(null, null, port), "tls"));
  }
  for (const port of [143, 110, 25, 587]) {
    test(`${port} stays in the clear`, () => assert.equal(tlsMode(null, null, port), "off"));
  }
});

test("proxy_ssl overrides the mode of the port", () => {
  assert.equal(tlsMode(null, "on", 143), "tls");
  assert.equal(tlsMode(null, "starttls", 993), "starttls");
  assert.equal(tlsMode(null, "off", 993), "off");
});

test("the lookup's mode overrides proxy_ssl off and the port", () => {
  assert.equal(tlsMode("tls", "off", 143), "tls");
  assert.equal(tlsMode("starttls", "on", 143), "starttls");
  assert.equal(tlsMode("off", "off", 993), "off");
  assert.equal(tlsMode("off", null, 993), "off");
});

test("the lookup cannot turn off TLS that proxy_ssl demands", () => {
  assert.equal(tlsMode("off", "on", 143), null);
  assert.equal(tlsMode("off", "starttls", 143), null);
});
