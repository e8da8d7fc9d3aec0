// Imports of malformed files, and imports that are interrupted.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { users } from "../../../../worker/directory/schema/index.ts";
import {
  type AdminCommand,
  COMMAND,
  startAdminCommand,
} from "../../../support/worker/admin-command.ts";
import { seed } from "../../../support/worker/directory.ts";
import { Program } from "../../../support/programs/program.ts";
import { makeScratch } from "../../../support/programs/scratch.ts";
import { startWebServer } from "../../../support/http/web-server.ts";

const HASH =
  "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

let admin: AdminCommand;
let scratch: Awaited<ReturnType<typeof makeScratch>>;
before(async () => {
  [admin, scratch] = await Promise.all([startAdminCommand(), makeScratch()]);
  await seed(admin.worker.db, {
    groups: [{ name: "mail" }],
    domains: [{ name: "example.test", group: "mail" }],
  });
});
after(() => Promise.all([admin.worker.dispose(), scratch.remove()]));
beforeEach(() => admin.worker.db.delete(users));

async function file(content: string | Uint8Array): Promise<string> {
  const path = join(scratch.path, "users");
  await writeFile(path, content);
  return path;
}

const user = (name: string) => `${name}@example.test:${HASH}\n`;

const stored = async () => {
  const rows = await admin.worker.db.select().from(users).orderBy(users.address);
  return rows.map(({ address }) => address.replace("@example.test", ""));
};

test("an import skips lines that hold no user, whatever their bytes, and reports them in order", async () => {
  const path = await file(
    Buffer.concat([
      Buffer.from(`\u{FEFF}${user("a")}`),
      Buffer.alloc(1_500_000, "x"),
      Buffer.from(`\n${user("nul\0")}b@example.test:{PLAIN}secret\n`),
      Buffer.from("# M\xfcller\n\xe4@example.test:x\n", "latin1"),
      Buffer.from(user("A") + user("c")),
    ]),
  );
  const { end, stdout, stderr } = await admin.run(["import", path]);
  assert.equal(end, 1);
  assert.equal(stdout, "2 created, 0 updated, 0 unchanged, 5 refused\n");
  assert.deepEqual(await stored(), ["a", "c"]);
  const told = stderr.trim().replaceAll(`${path}:`, "").split("\n");
  for (const [index, pattern] of [
    /^2: the line has 1500000 bytes/,
    /^3: .*U\+0000/,
    /^4: b@example.test: PLAIN is weak.*the user needs a new password$/,
    /^6: the line is not UTF-8/,
    /^7: A@example.test: line 1 has this address already/,
  ].entries()) {
    assert.match(told[index] ?? "", pattern);
  }
});

test("lines of the greatest length fit into the greatest requests", async () => {
  const long = (index: number) => `${"ü".repeat(1900)}${index}@example.test:${HASH}`;
  const lines = Array.from({ length: 600 }, (_, index) => long(index));
  const path = await file(`${lines.join("\n")}\n${user("a")}`);
  const { stdout, stderr } = await admin.run(["import", path]);
  assert.equal(stdout, "1 created, 0 updated, 0 unchanged, 600 refused\n");
  assert.equal(stderr.match(/: address: /g)?.length, 600);
});

for (const [what, content, sentence] of [
  ["gzip", gzipSync(user("a")), /compressed/],
  ["an empty file", "", /has no users/],
  ["a file of comments", "\n# a:b\n", /has no users/],
  ["a heading alone", "address,hash\n", /has no users/],
  ["CSV by semicolons", '"a@example.test";"x"\n', /address,hash,group/],
  ["a heading with an unknown column", "email,password,full name\n", /"full name".*address, hash/],
] as const) {
  test(`an import of ${what} says what is wrong, and imports nothing`, async () => {
    const { end, stdout, stderr } = await admin.run(["import", await file(content)]);
    assert.equal(end, 2);
    assert.equal(stdout, "");
    assert.match(stderr, sentence);
  });
}

test("an import reads standard input", async () => {
  const { end, stdout } = await admin.run(["import", "-"], user("a") + user("b"));
  assert.equal(stdout, "2 created, 0 updated, 0 unchanged, 0 refused\n");
  assert.equal(end, 0);
});

/** Two batches and a half. */
const many = Array.from({ length: 1250 }, (_, index) => user(`u${index}`)).join("");

/** A server before the worker that can interfere with the requests of an import. */
async function startInterferer(
  interfere: (count: number, response: ServerResponse) => Promise<boolean>,
) {
  let count = 0;
  return startWebServer((request, response) => void forward(request, response));

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { authorization = "" } = request.headers;
    const answer = await fetch(new URL(request.url ?? "", admin.worker.url), {
      method: request.method ?? "",
      headers: { Authorization: authorization, "Content-Type": "application/json" },
      body: await buffer(request),
    });
    const text = await answer.text();
    count += 1;
    if (!(await interfere(count, response))) response.writeHead(answer.status).end(text);
  }
}

test("an import that was killed is completed by the same command", async () => {
  const path = await file(many);
  // The second batch reaches the directory, and its response is lost.
  await using between = await startInterferer(async (count) => {
    if (count === 2) await program.stop("SIGKILL");
    return count === 2;
  });
  const env = { ...admin.env, POSTERN_ADMIN_URL: between.url };
  const program = new Program(process.execPath, [COMMAND, "import", path], { env });
  assert.equal(await program.ended, "SIGKILL");
  assert.equal((await stored()).length, 1000);
  const { stdout } = await admin.run(["import", path]);
  assert.equal(stdout, "250 created, 0 updated, 1000 unchanged, 0 refused\n");
});

test("an import that is interrupted ends with its batch, and says where to continue", async () => {
  const path = await file(many);
  await using between = await startInterferer(async (count) => {
    if (count === 1) program.signal("SIGINT");
    return false;
  });
  const env = { ...admin.env, POSTERN_ADMIN_URL: between.url };
  const program = new Program(process.execPath, [COMMAND, "import", path], { env });
  assert.equal(await program.ended, 1);
  const [, line = ""] =
    /the import was interrupted; continue with --from (\d+)\n$/.exec(program.stderr) ?? [];
  assert.equal((await stored()).length, Number(line) - 1);
  const { stdout } = await admin.run(["import", path, "--from", line]);
  assert.equal(stdout, `${1251 - Number(line)} created, 0 updated, 0 unchanged, 0 refused\n`);
});

test("an import goes on after the API was away for a moment", async () => {
  await using between = await startInterferer(async (count, response) => {
    if (count === 2) response.writeHead(503).end();
    return count === 2;
  });
  const env = { ...admin.env, POSTERN_ADMIN_URL: between.url };
  const { end, stdout } = await admin.runWith(env, ["import", await file(many)]);
  // The users of the request whose response was lost are in the directory, and are counted as unchanged.
  assert.equal(stdout, "750 created, 0 updated, 500 unchanged, 0 refused\n");
  assert.equal(end, 0);
});
