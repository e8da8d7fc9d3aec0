/**
 * The software bill of materials of the proxy, in CycloneDX's form:
 *
 *   npm run sbom                   writes sbom.cdx.json
 *
 * `npm sbom --omit=dev` of npm 11 leaves out production dependencies that development needs as well. So npm reads a
 * lock file that has no others.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../support/programs/program.ts";
import { makeScratch } from "../support/programs/scratch.ts";
import { lockFile, manifest, production } from "./lock-file.ts";

/** @throws Error with npm's words */
export async function makeSbom(): Promise<string> {
  const { path, remove } = await makeScratch();
  try {
    const [own] = [lockFile.packages[""]];
    const packages = { "": { ...own, devDependencies: {} }, ...Object.fromEntries(production) };
    const files = {
      "package.json": { ...manifest, devDependencies: {} },
      "package-lock.json": { ...lockFile, packages },
    };
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(path, name), JSON.stringify(content));
    }
    const args = ["sbom", "--package-lock-only", "--sbom-format=cyclonedx"];
    const { end, stdout, stderr } = await run("npm", args, { cwd: path, env: process.env });
    if (end !== 0) throw new Error(`npm sbom: ${stderr}`);
    return stdout;
  } finally {
    await remove();
  }
}

if (import.meta.main) await writeFile(process.argv[2] ?? "sbom.cdx.json", await makeSbom());
