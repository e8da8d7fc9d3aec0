// A request to the control socket ends with a reply or a reason, and never waits for ever.
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { AskError, ask } from "../../../../proxy/process/control/ask.ts";
import { makeScratch } from "../../../support/programs/scratch.ts";

const ANSWERS: Readonly<Record<string, string>> = {
  "nothing at all": "",
  "half of its answer": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
};

/** A socket that says these bytes to everybody. */
async function serve(t: TestContext, bytes: string): Promise<string> {
  const { path: directory, remove } = await makeScratch();
  t.after(remove);
  const path = join(directory, "control.sock");
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(bytes);
  }).listen(path);
  t.after(() => server.close());
  await once(server, "listening");
  return path;
}

for (const [what, bytes] of Object.entries(ANSWERS)) {
  test(`a process that says ${what} is given up`, async (t) => {
    const path = await serve(t, bytes);
    await assert.rejects(ask(path, "GET", "/sessions", 100), (error) => {
      assert.ok(error instanceof AskError && !error.isAbsent);
      assert.equal(error.message, `request to ${path} failed (no reply for 0.1 seconds)`);
      return true;
    });
  });
}

const skip = process.getuid?.() === 0 ? false : "only root can become another user";
test("a user without access is told who has access", { skip }, async (t) => {
  const path = await serve(t, "");
  await chmod(path, 0o600);
  process.seteuid?.(65_534);
  try {
    await assert.rejects(ask(path, "GET", "/sessions"), {
      message:
        `request to ${path} failed (13: Permission denied), ` +
        "only root and the user that started Postern may connect",
    });
  } finally {
    process.seteuid?.(0);
  }
});
