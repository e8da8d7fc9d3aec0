/** The worker's password code, run by Node: makes `.wasm` import as it does in Workers. */
import { registerHooks } from "node:module";

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith(".wasm")) return nextLoad(url, context);
    const source = `
      import { readFileSync } from "node:fs";
      export default new WebAssembly.Module(readFileSync(new URL(${JSON.stringify(url)})));`;
    return { format: "module", source, shortCircuit: true };
  },
});

// Only now: a static import would be loaded before the hook is there.
export const { hashPassword } = await import("../../../worker/passwords/schemes/argon2id.ts");
export const { SCHEMES, allowedSchemes } =
  await import("../../../worker/passwords/schemes/index.ts");
export const { checkStored, needsRehash, readStored } =
  await import("../../../worker/passwords/stored.ts");
export const { UnreadableHash } = await import("../../../worker/passwords/schemes/scheme.ts");
export const { simulateVerification, verifyPassword } =
  await import("../../../worker/passwords/verify.ts");
export const { WorkProfile } = await import("../../../worker/passwords/work.ts");

/** A hash of `wonderland` that is cheap to verify, for tests that log in often. */
export const CHEAP_HASH = "$argon2id$v=19$m=1024,t=1,p=4$b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g";
