// Links between the documents lead to files and headings that exist.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { PAGES, readPage } from "./pages.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const LINK = /\]\(([^)\s]+)\)/g;

/** The text of a page without its code, in which brackets mean something else. */
function prose(path: string): string {
  return readPage(path)
    .replaceAll(/^ *```.*?^ *```$/gms, "")
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]#]/g, " "));
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(path: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of prose(path).matchAll(/^#+ (.+)$/gm)) {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    assert.ok(!anchors.has(anchor), `${path} has two headings "${heading}"`);
    anchors.add(anchor);
  }
  return anchors;
}

for (const page of PAGES) {
  test(`the links of ${page} lead to files and headings that exist`, () => {
    for (const [, target = ""] of prose(page).matchAll(LINK)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file = "", anchor] = target.split("#");
      const path = file === "" ? page : posix.join(posix.dirname(page), file);
      assert.ok(existsSync(join(ROOT, path)), `${page} links to ${target}: there is no ${path}`);
      if (anchor === undefined) continue;
      assert.ok(anchorsOf(path).has(anchor), `${page} links to ${target}: no such heading`);
    }
  });
}

test("links are found in the README, so that the tests above check some", () => {
  assert.ok([...prose("README.md").matchAll(LINK)].length > 15);
});

test("every page of docs/ is linked from the README", () => {
  const readme = prose("README.md");
  const unlinked = PAGES.filter((page) => page.startsWith("docs/")).filter(
    (page) => !readme.includes(`](${page}`),
  );
  assert.deepEqual(unlinked, []);
});

test("the README is at most 20 KB", () => {
  assert.ok(Buffer.byteLength(readPage("README.md")) <= 20_000);
});
