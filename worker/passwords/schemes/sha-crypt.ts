/**
 * SHA256-CRYPT and SHA512-CRYPT, crypt(3)'s `$5$` and `$6$`, by Ulrich Drepper's specification
 * (https://www.akkadia.org/drepper/SHA-crypt.txt).
 *
 * No package serves: npm's `unixcrypt` (3.0.4) computes wrong hashes for passwords whose length is a multiple of the
 * digest's, 32 or 64 bytes, and the others do not accept bytes.
 */
import { MAX_SHA_CRYPT_ROUNDS } from "./limits.ts";
import { bitsOf, crypt64, repeated, stir } from "../algorithms/crypt.ts";
import { bytesOf, digest, sameText } from "../algorithms/digest.ts";
import { textOf } from "./encoding.ts";
import { type PasswordScheme, UnreadableHash } from "./scheme.ts";

type ShaName = "sha256" | "sha512";

const DEFAULT_ROUNDS = 5_000;

/** Each group takes a byte from each third of the digest, and rotates the thirds. */
const ORDER: Record<ShaName, readonly (readonly number[])[]> = {
  sha256: [...thirds(10, 21), [30, 31]],
  sha512: [...thirds(21, 22), [63]],
};

export const sha512Crypt = shaCrypt("SHA512-CRYPT", "sha512", "6", 86);
export const sha256Crypt = shaCrypt("SHA256-CRYPT", "sha256", "5", 43);

function shaCrypt(name: string, sha: ShaName, id: string, digits: number): PasswordScheme {
  // libxcrypt refuses fewer than 1,000 rounds.
  const form = new RegExp(
    `^\\$${id}\\$(?:rounds=([1-9]\\d{3,8})\\$)?([!-#%-~]{0,16})\\$([./0-9A-Za-z]{${digits}})$`,
  );
  return {
    names: [name],
    form: new RegExp(`^\\$${id}\\$`),
    read(stored) {
      const [, given, salt, hash] = form.exec(textOf(stored)) ?? [];
      if (salt === undefined || hash === undefined) throw new UnreadableHash("it is malformed");
      const rounds = Number(given ?? DEFAULT_ROUNDS);
      if (rounds > MAX_SHA_CRYPT_ROUNDS) {
        throw new UnreadableHash(`it has more than ${MAX_SHA_CRYPT_ROUNDS} rounds`);
      }
      return {
        work: { kind: `${sha}-crypt`, units: rounds },
        matches: (password) => sameText(compute(sha, password, bytesOf(salt), rounds), hash),
      };
    },
  };
}

/** The specification has the names A, B, DP and DS. */
function compute(sha: ShaName, password: Uint8Array, salt: Uint8Array, rounds: number): string {
  const size = password.length;
  const b = digest(sha, password, salt, password);
  const a = digest(
    sha,
    password,
    salt,
    repeated(b, size),
    ...bitsOf(size).map((bit) => (bit ? b : password)),
  );
  const dp = digest(sha, repeated(password, size * size));
  const ds = digest(sha, repeated(salt, salt.length * (16 + (a[0] ?? 0))));
  const last = stir(sha, a, repeated(dp, size), repeated(ds, salt.length), rounds);
  return crypt64(last, ORDER[sha]);
}

function thirds(third: number, step: number): number[][] {
  const places = [2 * third, third, 0];
  return Array.from({ length: third }, (_, index) =>
    places.map((place) => (place + index * step) % (3 * third)),
  );
}
