// The documents for developers name files and folders that exist, and the map in docs/architecture.md is the code's.
import assert from "node:assert/strict";
import { globSync, readFileSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readPage } from "./pages.ts";

const cwd = fileURLToPath(new URL("../../", import.meta.url));
const map = readPage("docs/architecture.md");

/** A path or a pattern from the root: `proxy/main.ts`, `test/docs/`. */
const PATH = /(?<![\w./-])(?:proxy|worker|shared|test|docs)\/[\w./*-]*/g;

for (const page of ["docs/architecture.md", "CONTRIBUTING.md"]) {
  test(`every path that ${page} names exists`, () => {
    const paths = readPage(page).match(PATH) ?? [];
    assert.ok(paths.length > 10);
    const missing = paths.filter((path) => globSync(path, { cwd }).length === 0);
    assert.deepEqual(missing, []);
  });
}

for (const top of ["proxy", "worker", "test"]) {
  test(`docs/architecture.md names every folder of ${top}/`, () => {
    const folders = readdirSync(join(cwd, top), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${top}/${name}/`);
    const missing = folders.filter((folder) => !map.includes(`\`${folder}`));
    assert.deepEqual(missing, []);
  });
}

for (const top of ["proxy", "worker"]) {
  test(`a folder of ${top}/ imports only from folders below it in docs/architecture.md`, () => {
    const rows = map.match(/^ *- .*$/gm) ?? [];
    const named = [...rows.join("\n").matchAll(new RegExp(`\`${top}/([\\w-]+)/`, "g"))];
    const order = [...new Set(named.map(([, folder = ""]) => folder))];
    const upward = globSync(`${top}/*/**/*.ts`, { cwd }).flatMap((file) =>
      importsOf(file)
        .filter((target) => rankOf(target) < rankOf(file))
        .map((target) => `${file} imports ${target}`),
    );
    assert.deepEqual(upward, []);

    /** Files of no folder, and of other parts of the project, are below all folders. */
    function rankOf(file: string): number {
      const [part, folder = "", rest] = file.split("/");
      const rank = part === top && rest !== undefined ? order.indexOf(folder) : -1;
      return rank === -1 ? order.length : rank;
    }
  });
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(cwd, file), "utf8");
  const specifiers = [...text.matchAll(/(?:from |import )"(\.[^"]+)"|import\("(\.[^"]+)"\)/g)];
  return specifiers.map(([, fixed, dynamic]) =>
    posix.join(posix.dirname(file), fixed ?? dynamic ?? ""),
  );
}
