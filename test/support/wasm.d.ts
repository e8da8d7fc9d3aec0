/** As much of WebAssembly as the worker's files use, which Node's own types leave out. */
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  interface Instance {
    readonly exports: Record<string, unknown>;
  }
  const Instance: new (module: Module) => Instance;
}

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
