/**
 * Reads names from certificates in DER (X.690), which OpenSSL has validated. It stays our own, since `asn1js` would
 * save `elements` and `inside` alone and add two packages.
 */

export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly whole: Uint8Array;
}

/** Elements that follow each other. */
function elements(bytes: Uint8Array): readonly Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const [tag = 0, short = 0] = bytes.subarray(at, at + 2);
    const start = at + 2 + (short < 0x80 ? 0 : short & 0x7f);
    const long = bytes.subarray(at + 2, start);
    const length = short < 0x80 ? short : long.reduce((sum, byte) => sum * 256 + byte, 0);
    const end = start + length;
    found.push({ tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return found;
}

function inside(element: Element | undefined): readonly Element[] {
  return element === undefined ? [] : elements(element.content);
}

const EXPLICIT_VERSION = 0xa0;

/** The values of a certificate's subject or issuer, in order (RFC 5280 sections 4.1 and 4.1.2.4). */
export function nameValues(
  certificate: Uint8Array,
  name: "issuer" | "subject",
): readonly Element[] {
  const [signed] = inside(elements(certificate)[0]);
  const fields = inside(signed).filter(({ tag }) => tag !== EXPLICIT_VERSION);
  const [, , issuer, , subject] = fields;
  return inside(name === "issuer" ? issuer : subject)
    .flatMap(inside)
    .flatMap((attribute) => inside(attribute).slice(1, 2));
}
