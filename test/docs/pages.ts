/** The documents that readers of the project meet, by their paths from its root. */
import { readFileSync, readdirSync } from "node:fs";

const ROOT = new URL("../../", import.meta.url);

export const PAGES: readonly string[] = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  ...readdirSync(new URL("docs", ROOT)).map((name) => `docs/${name}`),
];

export function readPage(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}
