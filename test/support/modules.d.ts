/** The types of WebAssembly that the worker uses and Node's types lack. */
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
