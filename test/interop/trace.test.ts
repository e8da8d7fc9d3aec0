// One id finds a session in the logs of proxy and worker.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { attempt, greeted, untilClosed } from "../support/peers/mail-client.ts";
import { startServers } from "../support/programs/servers.ts";
import { startWorker } from "../support/worker/worker.ts";

test("a lookup that the worker could not answer is found in its log by the trace_id of the session", async (t) => {
  const lines = new EventTarget();
  const said: string[] = [];
  const worker = await startWorker({
    log: (line) => {
      said.push(line);
      lines.dispatchEvent(new Event("line"));
    },
  });
  t.after(() => worker.dispose());
  await worker.db.run("DROP TABLE users");
  const postern = await startServers(
    `auth_http ${worker.url}/auth; auth_http_header X-Auth-Key development;`,
    { imap: "listen 127.0.0.1:PORT; protocol imap;" },
  );
  t.after(() => postern.stop());

  const wire = await greeted("imap", postern.ports.imap);
  const login = { login: "alice@example.test", password: "wonderland" };
  assert.match(await attempt("imap", wire, login), /^a NO \[UNAVAILABLE\]/);
  await untilClosed(wire);
  await postern.proxy.program.says(login.login);

  const session = postern.sessions().find((each) => each["login"] === login.login);
  const trace = String(session?.["trace_id"]);
  assert.match(trace, /^[\da-f]{32}$/);
  const found = (): string | undefined => said.find((line) => line.includes(`"trace":"${trace}"`));
  while (found() === undefined) await once(lines, "line");
  assert.match(found() ?? "", /a lookup cannot be answered/);
});
