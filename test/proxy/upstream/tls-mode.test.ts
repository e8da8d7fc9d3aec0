import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { tlsMode } from "../../../proxy/upstream/tls-mode.ts";

describe("where neither the lookup nor proxy_ssl says, the port does:", () => {
  for (const port of [993, 995, 465]) {
    test(`${port} means TLS`, () => assert.equal(tlsMode(null, null, port), "tls"));
  }
  for (const port of [143, 110, 25, 587]) {
    test(`${port} does not`, () => assert.equal(tlsMode(null, null, port), "off"));
  }
});

test("proxy_ssl holds, whatever the port", () => {
  assert.equal(tlsMode(null, "on", 143), "tls");
  assert.equal(tlsMode(null, "starttls", 993), "starttls");
  assert.equal(tlsMode(null, "off", 993), "off");
});

test("the lookup decides for its session", () => {
  assert.equal(tlsMode("tls", "off", 143), "tls");
  assert.equal(tlsMode("starttls", "on", 143), "starttls");
  assert.equal(tlsMode("off", "off", 993), "off");
  assert.equal(tlsMode("off", null, 993), "off");
});

test("but takes nothing away that proxy_ssl demands", () => {
  assert.equal(tlsMode("off", "on", 143), null);
  assert.equal(tlsMode("off", "starttls", 143), null);
});
