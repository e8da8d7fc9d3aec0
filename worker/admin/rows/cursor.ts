/**
 * The cursor at which the next page of a list begins. It is signed, so that a caller can begin only where a page of
 * the same list has ended.
 */
import { z } from "@hono/zod-openapi";
import { decodeBase64Url, encodeBase64Url } from "hono/utils/encode";
import type { Caller } from "../http/access.ts";
import { ApiError } from "../http/api-error.ts";
import type { Key } from "./resource.ts";

/** Opaque to callers. */
export const Cursor = z.base64url().openapi({ description: "`next` of the page before" });

/** The list that a cursor belongs to. */
export interface Listing {
  /** `/users` */
  readonly path: string;
  /** The filters as the caller gives them. */
  readonly filters: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
}

/** The secrets of a worker. `LOOKUP_KEYS` is always set in a deployment. */
interface Secrets {
  readonly LOOKUP_KEYS?: string;
  readonly SECRET_KEYS?: string;
  readonly ADMIN_BOOTSTRAP?: string;
}

/** Bytes of an HMAC-SHA-256. */
const SIGNATURE_LENGTH = 32;

const CursorKey = z.array(z.union([z.string(), z.int()])).nonempty();

export class Cursors {
  readonly #key: Promise<CryptoKey>;

  constructor(secrets: Secrets) {
    this.#key = signingKey(secrets);
  }

  /** @returns base64url */
  async write(key: Key, listing: Listing): Promise<string> {
    const text = JSON.stringify(key);
    const signature = await crypto.subtle.sign("HMAC", await this.#key, signed(text, listing));
    const bytes = Uint8Array.of(...new Uint8Array(signature), ...encode(text));
    return encodeBase64Url(bytes.buffer).replaceAll("=", "");
  }

  /** @throws ApiError for a cursor that `write` has not made for this list and this caller */
  async read(cursor: string, listing: Listing): Promise<Key> {
    const bytes = bytesOf(cursor);
    const text = new TextDecoder().decode(bytes.subarray(SIGNATURE_LENGTH));
    const signature = bytes.subarray(0, SIGNATURE_LENGTH);
    const message = signed(text, listing);
    if (!(await crypto.subtle.verify("HMAC", await this.#key, signature, message))) {
      throw new ApiError(
        400,
        "after: not the `next` that this list gave to this token; begin with the first page",
      );
    }
    return CursorKey.parse(JSON.parse(text));
  }
}

/** Derives a key from all secrets, so that a proxy's operator, with a lookup key alone, cannot sign. */
async function signingKey(secrets: Secrets): Promise<CryptoKey> {
  const { LOOKUP_KEYS = "", SECRET_KEYS = "", ADMIN_BOOTSTRAP = "" } = secrets;
  const material = encode(JSON.stringify([LOOKUP_KEYS, SECRET_KEYS, ADMIN_BOOTSTRAP]));
  const base = await crypto.subtle.importKey("raw", material, "HKDF", false, ["deriveKey"]);
  // RFC 5869 section 3.2: `info` keeps this key apart from others that are derived from the same secrets.
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: encode(""), info: encode("list cursors") };
  const hmac = { name: "HMAC", hash: "SHA-256", length: 256 };
  return crypto.subtle.deriveKey(hkdf, base, hmac, false, ["sign", "verify"]);
}

/** JSON quotes each part, so that no two lists give one message. */
function signed(text: string, { path, filters, caller }: Listing) {
  const given = Object.entries(filters)
    .filter(([, value]) => value !== undefined)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  const { digest, role } = caller;
  return encode(JSON.stringify([path, given, digest, role, text]));
}

function encode(text: string) {
  return new TextEncoder().encode(text);
}

/** @returns no bytes for text that is not base64url */
function bytesOf(cursor: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.of(...decodeBase64Url(cursor));
  } catch {
    return new Uint8Array();
  }
}
