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

/** DES-CRYPT, which comes without types. */
declare module "unix-crypt-td-js" {
  /** @returns the salt's two characters, then the hash's eleven */
  export default function crypt(password: ArrayLike<number>, salt: string): string;
}
