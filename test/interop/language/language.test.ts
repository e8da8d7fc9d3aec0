// nginx and Postern read the same configurations and must report the same errors and warnings.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { loadCertificates } from "../../../proxy/certificates/load.ts";
import { ConfigError, readConfiguration, resolveAddresses } from "../../../proxy/config/index.ts";
import { atOnce } from "../../../proxy/slices.ts";
import { run } from "../../support/programs/program.ts";
import { lacking } from "../../support/programs/requirements.ts";
import { type Scratch, makeScratch } from "../../support/programs/scratch.ts";
import { DIFFERENCES, type Difference } from "./differences.ts";
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

/** Debian's nginx needs these directives. Postern gets them too, so that both read the same. */
const globals = (): string =>
  `load_module /usr/lib/nginx/modules/ngx_mail_module.so; pid ${scratch.path}/nginx.pid;`;

/** @returns the lines of `nginx -t` that have a level. nginx stops at the first `[emerg] …`. */
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
    const configuration = readConfiguration(source);
    const settings = atOnce(loadCertificates(configuration, null));
    await resolveAddresses(settings, configuration.names);
    return settings.warnings.map((warning) => `[warn] ${warning}`);
  } catch (error) {
    if (error instanceof ConfigError) return [`[emerg] ${error.message}`];
    throw error;
  }
}

/** @returns each program's messages about the same file, with short paths */
async function both(name: string, text: string, more = ""): Promise<Difference> {
  const file = join(scratch.path, `${name}.conf`);
  await writeFile(file, text);
  const short = (lines: readonly string[]): string[] =>
    lines.map((line) => line.replaceAll(file, "FILE").replaceAll(scratch.path, "DIR"));
  return { nginx: short(await nginx(file, more)), postern: short(await postern(file, more)) };
}

describe("nginx -t and Postern report the same", { skip: lacking("nginx"), concurrency: 2 }, () => {
  for (const kind of Object.keys(SNIPPETS) as Kind[]) {
    for (const [index, snippet] of SNIPPETS[kind].entries()) {
      const shown = snippet.length > 80 ? `${snippet.slice(0, 40)}… (${snippet.length})` : snippet;
      test(`of ${JSON.stringify(shown)} in ${kind}`, async () => {
        const messages = await both(`${kind}-${index}`, AROUND[kind](snippet));
        const difference = DIFFERENCES[kind]?.[snippet];
        if (difference === undefined) assert.deepEqual(messages.postern, messages.nginx);
        else assert.deepEqual(messages, difference);
      });
    }
  }

  for (const [index, [given, main]] of GLOBALS.entries()) {
    test(`of -g ${JSON.stringify(given)} before ${JSON.stringify(main)}`, async () => {
      const { nginx: theirs, postern: ours } = await both(
        `globals-${index}`,
        AROUND.main(main),
        given,
      );
      assert.deepEqual(ours, theirs);
    });
  }

  test("every listed difference belongs to a configuration of this test", () => {
    for (const kind of Object.keys(DIFFERENCES) as Kind[]) {
      for (const text of Object.keys(DIFFERENCES[kind] ?? {})) {
        assert.ok(SNIPPETS[kind].includes(text), text);
      }
    }
  });
});
