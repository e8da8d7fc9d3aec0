// A process that has stopped in the middle of something does not stop whoever asks it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { AskError, ask } from "../../../../proxy/process/control/ask.ts";
import { makeScratch } from "../../../support/scratch.ts";

const ANSWERS: Readonly<Record<string, string>> = {
  "nothing at all": "",
  "half of its answer": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
};

for (const [what, bytes] of Object.entries(ANSWERS)) {
  test(`who says ${what} is given up`, async (t) => {
    const { path: directory, remove } = await makeScratch();
    t.after(remove);
    const path = join(directory, "silent.sock");
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.write(bytes);
    }).listen(path);
    t.after(() => server.close());
    await once(server, "listening");
    await assert.rejects(ask(path, "GET", "/sessions", 100), (error) => {
      assert.ok(error instanceof AskError && !error.alone);
      assert.equal(error.message, `asking ${path} failed (nothing was said for 0.1 seconds)`);
      return true;
    });
  });
}
