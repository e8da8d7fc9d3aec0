/**
 * Argon2 (RFC 9106) by the reference implementation, compiled to WebAssembly.
 *
 * This file replaces the binding of `@phi-ag/argon2`, which counts UTF-16 units instead of bytes and so cuts off the
 * end of a password that is not ASCII.
 */
import wasm from "@phi-ag/argon2/argon2.wasm";

export interface Argon2Cost {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
}

/** The values of argon2.h: the types, and version 1.3. */
const TYPES = { argon2i: 1, argon2id: 2 };
const VERSION_13 = 0x13;
const OK = 0;
const VERIFY_MISMATCH = -35;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize(): void;
  malloc(bytes: number): number;
  free(pointer: number): void;
  // prettier-ignore
  argon2_hash(
    passes: number, memory: number, lanes: number, password: number, passwordBytes: number,
    salt: number, saltBytes: number, tag: number, tagBytes: number,
    encoded: number, encodedBytes: number, type: number, version: number,
  ): number;
  // prettier-ignore
  argon2_encodedlen(
    passes: number, memory: number, lanes: number, saltBytes: number, tagBytes: number, type: number,
  ): number;
  argon2_verify(encoded: number, password: number, passwordBytes: number, type: number): number;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- WebAssembly's exports are untyped
const argon2 = new WebAssembly.Instance(wasm).exports as unknown as Exports;
// oxlint-disable-next-line no-underscore-dangle -- Emscripten's name for a module's start
argon2._initialize();

/**
 * @returns the hash in its PHC form, `$argon2id$v=19$m=…,t=…,p=…$salt$tag`
 * @throws Error if memory runs out
 */
export function hashArgon2id(
  password: Uint8Array,
  salt: Uint8Array,
  tagBytes: number,
  { memory, passes, lanes }: Argon2Cost,
): string {
  const room = argon2.argon2_encodedlen(
    passes,
    memory,
    lanes,
    salt.length,
    tagBytes,
    TYPES.argon2id,
  );
  using input = allocate(password);
  using salted = allocate(salt);
  using tag = allocate(new Uint8Array(tagBytes));
  using encoded = allocate(new Uint8Array(room));
  // prettier-ignore
  const code = argon2.argon2_hash(
    passes, memory, lanes, input.pointer, password.length, salted.pointer, salt.length,
    tag.pointer, tagBytes, encoded.pointer, room, TYPES.argon2id, VERSION_13,
  );
  if (code !== OK) throw new Error(`argon2_hash failed with code ${code}`);
  return new TextDecoder().decode(heap().subarray(encoded.pointer, encoded.pointer + room - 1));
}

/**
 * @param encoded a hash in its PHC form, whose cost the caller has checked
 * @throws Error if the hash is malformed, or memory runs out
 */
export function verifyArgon2(
  type: keyof typeof TYPES,
  password: Uint8Array,
  encoded: string,
): boolean {
  using input = allocate(password);
  using hash = allocate(new TextEncoder().encode(`${encoded}\0`));
  const code = argon2.argon2_verify(hash.pointer, input.pointer, password.length, TYPES[type]);
  if (code !== OK && code !== VERIFY_MISMATCH)
    throw new Error(`argon2_verify failed with code ${code}`);
  return code === OK;
}

/** Copies bytes into the module's memory. The end of the scope wipes and frees them. */
function allocate(bytes: Uint8Array): Disposable & { readonly pointer: number } {
  // malloc(0) may return null, which would look like "out of memory".
  const pointer = argon2.malloc(Math.max(bytes.length, 1));
  if (pointer === 0) throw new Error("argon2 is out of memory");
  heap().set(bytes, pointer);
  return {
    pointer,
    [Symbol.dispose]() {
      heap().fill(0, pointer, pointer + bytes.length);
      argon2.free(pointer);
    },
  };
}

/** Makes a new view each time, since the memory moves when it grows. */
function heap(): Uint8Array {
  return new Uint8Array(argon2.memory.buffer);
}
