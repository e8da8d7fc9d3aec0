// With a mistake in its configuration Postern does not start, and says why.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freeMailPorts, mailConfig, startPostern } from "../support/real-servers/index.ts";

async function complaint(config: string): Promise<string> {
  const started = startPostern(config);
  let words = "";
  await assert.rejects(started, (error: Error) => {
    words = error.message;
    return true;
  });
  return words;
}

test("an unknown directive is reported with file, line and the name that was probably meant", async () => {
  const config = mailConfig(await freeMailPorts(), "http://127.0.0.1:9/auth", "imap_auht plain;");
  const line = config.split("\n").findIndex((text) => text.includes("imap_auht")) + 1;
  const words = await complaint(config);
  assert.match(words, /imap_auht/);
  assert.match(words, /imap_auth\b/);
  assert.match(words, new RegExp(`mail\\.conf:${line}`));
});

test("a missing certificate file is named", async () => {
  const config = mailConfig(await freeMailPorts(), "http://127.0.0.1:9/auth");
  const words = await complaint(config.replace("certificate.pem", "missing.pem"));
  assert.match(words, /missing\.pem/);
});
