/**
 * Names in certificates as nginx writes them: RFC 2253, by OpenSSL's XN_FLAG_RFC2253.
 *
 * Node's text has a line for each RDN, in the certificate's order, does not escape characters beyond ASCII, and
 * shows values of other types as text.
 */
import type { Element } from "./der.ts";

/** Tags of the ASN.1 types that OpenSSL shows as text. */
const TEXT = [12, 18, 19, 20, 22, 23, 24, 26, 28, 30];

/**
 * @param text Node's text; undefined for an empty name
 * @param values of the attributes, in the certificate's order
 */
export function distinguishedName(text: string | undefined, values: readonly Element[]): string {
  let index = 0;
  const names = (text ?? "").split("\n").map((line) =>
    // A plus sign inside a value is escaped.
    line.split(" + ").map((attribute) => rewritten(attribute, values[index++])),
  );
  return names
    .map((attributes) => attributes.toReversed().join("+"))
    .toReversed()
    .join(",");
}

/** The value stays encoded if it is not text, or OpenSSL has no name for the attribute. */
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
