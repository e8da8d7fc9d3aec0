// An uncaught error in the primary process, which the test injects.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { makeSite } from "../proxy/process/site.ts";
import { mailBlock } from "../support/proxy/configuration.ts";
import { greeted } from "../support/peers/mail-client.ts";
import { posternEntry } from "../support/real-servers/index.ts";
import { freePorts } from "../support/programs/ports.ts";
import { Program } from "../support/programs/program.ts";

const FAULTS = `import cluster from "node:cluster";
  let fail = () => { throw new Error("one kind"); };
  if (cluster.isPrimary) process.on("SIGURG", () => {
    const now = fail;
    fail = () => void Promise.reject(new Error("the other kind"));
    now();
  });`;

test("an uncaught error in the primary process is an alert in the log, and old and new sessions go on", async (t) => {
  const [port = 0] = await freePorts(1);
  const mail = mailBlock("protocol imap;").replace("143", `127.0.0.1:${port}`);
  const site = await makeSite(t, {
    "faults.mjs": FAULTS,
    "mail.conf": `error_log stderr notice; ${mail}`,
  });
  const args = ["--import", join(site, "faults.mjs"), posternEntry, "-p", site, "-c", "mail.conf"];
  const program = new Program(process.execPath, args, { env: process.env });
  t.after(() => program.stop());
  await program.logs(/start worker process/);
  const bystander = await greeted("imap", port);
  for (const kind of ["one kind", "the other kind"]) {
    program.signal("SIGURG");
    await program.logs(new RegExp(`\\[alert\\] .*: fault: Error: ${kind}`));
    bystander.write("a NOOP\r\n");
    assert.match(await bystander.line(), /^a OK /);
    (await greeted("imap", port)).end();
  }
  bystander.end();
  assert.equal(await program.stop(), 0);
});
