/** Optional secrets. wrangler.toml lists the required ones. */
interface Env {
  readonly ADMIN_BOOTSTRAP?: string;
  readonly MASTER_PASSWORDS?: string;
  readonly OAUTH_PROVIDERS?: string;
  readonly SECRET_KEYS?: string;
}

/** Workers import a compiled module. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

/** The parts of Node's modules (`nodejs_compat`) that the worker uses. workers-types has no types for them. */
declare module "node:crypto" {
  interface Digest extends Uint8Array {
    readUIntBE(offset: number, bytes: number): number;
  }
  interface Hash {
    update(data: Uint8Array | string): Hash;
    digest(): Digest;
    digest(encoding: "base64" | "hex"): string;
  }
  export function createHash(algorithm: "md5" | "sha1" | "sha256" | "sha512"): Hash;
  export function createHmac(algorithm: "md5" | "sha1" | "sha256", key: Uint8Array): Hash;
  export function pbkdf2Sync(
    password: Uint8Array,
    salt: Uint8Array,
    iterations: number,
    bytes: number,
    digest: "sha1" | "sha256",
  ): Uint8Array;
  export function timingSafeEqual(one: Uint8Array, other: Uint8Array): boolean;
}

/** DES-CRYPT. The package has no types. */
declare module "unix-crypt-td-js" {
  /** @returns the salt's two characters, then the hash's eleven */
  export default function crypt(password: ArrayLike<number>, salt: string): string;
}

declare module "node:url" {
  export function domainToASCII(domain: string): string;
}
