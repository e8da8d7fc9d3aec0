/** The secrets that may be missing: wrangler.toml's list is of those that must not be. */
interface Env {
  readonly ADMIN_BOOTSTRAP?: string;
  readonly MASTER_PASSWORDS?: string;
  readonly OAUTH_PROVIDERS?: string;
  readonly SECRET_KEYS?: string;
}

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

/** DES-CRYPT, which comes without types. */
declare module "unix-crypt-td-js" {
  /** @returns the salt's two characters, then the hash's eleven */
  export default function crypt(password: ArrayLike<number>, salt: string): string;
}

declare module "node:url" {
  export function domainToASCII(domain: string): string;
}
