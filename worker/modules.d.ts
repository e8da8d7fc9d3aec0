/** A compiled module, as Workers import it. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

/** Of Node's modules (`nodejs_compat`), what the worker uses: workers-types has no types for them. */
declare module "node:crypto" {
  interface Digest extends Uint8Array {
    readUIntBE(offset: number, bytes: number): number;
  }
  interface Hash {
    update(text: string): Hash;
    digest(): Digest;
  }
  export function createHash(algorithm: "sha256"): Hash;
}
