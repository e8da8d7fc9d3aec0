// nginx's configuration language: what nginx says of a file, and what Postern says of the same one.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ConfigError, readConfiguration, resolveAddresses } from "../../../proxy/config/index.ts";
import { run } from "../../support/program.ts";
import { lacking } from "../../support/requirements.ts";
import { type Scratch, makeScratch } from "../../support/scratch.ts";
import { DIFFERENCES } from "./differences.ts";
import { AROUND, GLOBALS, type Kind, SNIPPETS } from "./snippets.ts";

/** Files for `include`. */
const FILES = {
  "mistaken.conf": "events {}\n\nfoo;\n",
  "open.conf": "events {",
  "closing.conf": "}",
  "server.conf": "server { listen 127.0.0.1:2143; protocol imap; }",
};

let scratch: Scratch;
before(async () => {
  scratch = await makeScratch();
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(scratch.path, name), text);
  await mkdir(join(scratch.path, "logs"));
});
after(() => scratch.remove());

/** Both say the same before the file, which Debian's nginx needs. */
const globals = (): string =>
  `load_module /usr/lib/nginx/modules/ngx_mail_module.so; pid ${scratch.path}/nginx.pid;`;

/** What `nginx -t` prints with a level: `[emerg] …`, of which the first ends the reading. */
async function nginx(file: string, more: string): Promise<readonly string[]> {
  const args = ["-t", "-e", "/dev/null", "-p", scratch.path, "-c", file, "-g", globals() + more];
  const { end, stderr } = await run("/usr/sbin/nginx", args);
  const messages = stderr.split("\n").flatMap((line) => /^nginx: (\[.*)$/.exec(line)?.[1] ?? []);
  assert.equal(end === 0, !messages.some((line) => line.startsWith("[emerg]")), stderr);
  return messages;
}

async function postern(file: string, more: string): Promise<readonly string[]> {
  const source = { file, prefix: scratch.path, globals: globals() + more, errorLog: null };
  try {
    const { settings, names } = readConfiguration(source);
    await resolveAddresses(settings, names);
    return settings.warnings.map((warning) => `[warn] ${warning}`);
  } catch (error) {
    if (error instanceof ConfigError) return [`[emerg] ${error.message}`];
    throw error;
  }
}

/** What each says of the same file, its paths made short. */
async function both(
  name: string,
  text: string,
  more = "",
): Promise<Record<"there" | "here", readonly string[]>> {
  const file = join(scratch.path, `${name}.conf`);
  await writeFile(file, text);
  const short = (lines: readonly string[]): string[] =>
    lines.map((line) => line.replaceAll(file, "FILE").replaceAll(scratch.path, "DIR"));
  return { there: short(await nginx(file, more)), here: short(await postern(file, more)) };
}

describe("nginx -t and Postern", { skip: lacking("nginx"), concurrency: 2 }, () => {
  for (const kind of Object.keys(SNIPPETS) as Kind[]) {
    for (const [index, snippet] of SNIPPETS[kind].entries()) {
      const shown = snippet.length > 80 ? `${snippet.slice(0, 40)}… (${snippet.length})` : snippet;
      test(`of ${JSON.stringify(shown)} in ${kind}`, async () => {
        const { there, here } = await both(`${kind}-${index}`, AROUND[kind](snippet));
        const difference = DIFFERENCES[kind]?.[snippet];
        if (difference === undefined) assert.deepEqual(here, there);
        else assert.deepEqual({ nginx: there, postern: here }, difference);
      });
    }
  }

  for (const [index, [given, main]] of GLOBALS.entries()) {
    test(`of -g ${JSON.stringify(given)} before ${JSON.stringify(main)}`, async () => {
      const { there, here } = await both(`globals-${index}`, AROUND.main(main), given);
      assert.deepEqual(here, there);
    });
  }

  test("every difference that is listed is one of a text that is tried", () => {
    for (const kind of Object.keys(DIFFERENCES) as Kind[]) {
      for (const text of Object.keys(DIFFERENCES[kind] ?? {})) {
        assert.ok(SNIPPETS[kind].includes(text), text);
      }
    }
  });
});
