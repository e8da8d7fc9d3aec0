import { build } from "esbuild";
import type { SourceOptions } from "miniflare";

/**
 * Bundles a worker as wrangler would, much faster.
 *
 * @param modulesRoot the directory in which the modules are imagined to lie; nothing is written
 */
export async function bundle(
  entry: string,
  modulesRoot: string,
): Promise<Pick<SourceOptions, "modules" | "modulesRoot">> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    outdir: modulesRoot,
    format: "esm",
    target: "es2024",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    loader: { ".wasm": "copy" },
  });
  // The first one is the entry.
  const modules = outputFiles
    .toSorted((a, b) => Number(b.path.endsWith(".js")) - Number(a.path.endsWith(".js")))
    .map(({ path, contents }) => ({
      path,
      contents,
      type: path.endsWith(".wasm") ? ("CompiledWasm" as const) : ("ESModule" as const),
    }));
  return { modules, modulesRoot };
}
