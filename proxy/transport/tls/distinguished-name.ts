/**
 * Names in certificates as nginx writes them: RFC 2253, by OpenSSL's XN_FLAG_RFC2253.
 *
 * Node has OpenSSL write them nearly so: a line for each RDN, in the certificate's order, with characters
 * beyond ASCII as they are, and what is no text as if it were. The rest is done here.
 */
import type { Element } from "./der.ts";

/** ASN.1 types that OpenSSL takes for text. */
const TEXT = [12, 18, 19, 20, 22, 23, 24, 26, 28, 30];

/**
 * @param text Node's; undefined for an empty name
 * @param values of the attributes, in the certificate's order
 */
export function distinguishedName(text: string | undefined, values: readonly Element[]): string {
  let index = 0;
  const names = (text ?? "").split("\n").map((line) =>
    // A plus sign that is part of a value is escaped.
    line.split(" + ").map((attribute) => rewritten(attribute, values[index++])),
  );
  return names
    .map((attributes) => attributes.toReversed().join("+"))
    .toReversed()
    .join(",");
}

/** A value whose type OpenSSL has no name for, or that is no text, is shown as it is encoded. */
function rewritten(attribute: string, value: Element | undefined): string {
  const [type = ""] = attribute.split("=", 1);
  if (value !== undefined && (/^\d/.test(type) || !TEXT.includes(value.tag))) {
    return `${type}=#${Buffer.from(value.whole).toString("hex").toUpperCase()}`;
  }
  return attribute.replace(/[^\x20-\x7e]/gu, escaped);
}

function escaped(character: string): string {
  const bytes = [...Buffer.from(character)];
  return bytes.map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}
