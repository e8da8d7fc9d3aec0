// The check for secrets finds them in every form; a check that finds nothing would always pass.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "./programs/program.ts";
import { makeScratch } from "./programs/scratch.ts";
import { assertTellsNoSecret, secret } from "./secrets.ts";

const canary = secret("cänary/in a mine?");
const told = /tells the secret "cänary/;

const forms = {
  "as it is": canary,
  "in AUTH PLAIN": btoa(`\0anna\0${Buffer.from(canary).toString("latin1")}`),
  "in base64, whatever is before it": `x${Buffer.from(`anna ${canary}!`).toString("base64")}`,
  "in a token's base64": Buffer.from(`{"p":"${canary}"}`).toString("base64url"),
  "in a URL": `/auth?pass=${encodeURIComponent(canary)}`,
  "in a log's escapes": String.raw`pass: c\xC3\xA4nary/in a mine?`,
  "in a dump of bytes": Buffer.from(canary).toString("hex"),
};

for (const [name, form] of Object.entries(forms)) {
  test(`a secret is found ${name}`, () => {
    assert.throws(() => assertTellsNoSecret("it", `one\nof ${form} more\nlines`), told);
  });
}

test("what holds none passes, and words that occur by chance are no secrets", () => {
  secret("pass");
  assertTellsNoSecret("it", `pass cänary mine ${btoa("anna and her canary")}`);
});

test("a program that writes one fails the test that waits for its end", async () => {
  for (const stream of ["stdout", "stderr"]) {
    const script = `process.${stream}.write(process.env.WORD)`;
    const env = { ...process.env, WORD: canary };
    await assert.rejects(run(process.execPath, ["-e", script], { env }), told);
  }
});

test("a log that holds one fails the test that takes its directory away, which is gone all the same", async () => {
  const { path, remove } = await makeScratch();
  await writeFile(join(path, "mail.conf"), canary);
  await writeFile(join(path, "access.log"), `a line\n${canary}`);
  await assert.rejects(remove(), told);
  await assert.rejects(writeFile(join(path, "error.log"), ""), { code: "ENOENT" });
});
