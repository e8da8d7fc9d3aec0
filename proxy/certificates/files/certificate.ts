/** A certificate with its key, as it is shown to clients, and what is to be known of it without parsing it again. */
import { type X509Certificate, hash } from "node:crypto";
import { domainToASCII } from "node:url";
import type { Chain, SecretKey } from "./tls-files.ts";
import type { KeyPair } from "./key-pairs.ts";

export interface Certified extends KeyPair {
  /** Of the certificate, for messages. */
  readonly file: string;
  /** Differs from that of every other chain. */
  readonly id: string;
  readonly keyType: string;
  /** Host names that it is for, in lower case; `*.` in front stands for one label. */
  readonly names: readonly string[];
  readonly subject: string;
  readonly serial: string;
  /** ms since 1970 */
  readonly expires: number;
}

export function certified({ name, leaf, certificates }: Chain, { key, pem }: SecretKey): Certified {
  const certificate = certificates.join("");
  return {
    certificate,
    key: pem,
    file: name,
    id: hash("sha256", certificate, "base64url"),
    keyType: key.asymmetricKeyType ?? "",
    names: hostNames(leaf),
    subject: leaf.subject.replaceAll("\n", ", "),
    serial: leaf.serialNumber,
    expires: leaf.validToDate.getTime(),
  };
}

/** What may stand for a host: labels in ASCII, those of other scripts as A-labels (RFC 5890 section 2.3.2.1). */
const HOST = /^(?:\*\.)?[\w-]+(?:\.[\w-]+)*$/;

/** The names in the subjectAltName extension; the common name where there is no such extension (RFC 6125 section 6.4.4). */
function hostNames(leaf: X509Certificate): readonly string[] {
  const { subjectAltName } = leaf;
  return (subjectAltName === undefined ? commonNames(leaf) : dnsNames(subjectAltName))
    .map((name) => name.toLowerCase())
    .filter((name) => HOST.test(name));
}

/** Node quotes what could be taken for several names. */
function dnsNames(subjectAltName: string): readonly string[] {
  const plain = subjectAltName.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  return [...plain.matchAll(/(?:^|, )DNS:([^,"]+)/g)].map(([, name = ""]) => name);
}

/** Unlike the others, they may be written as people read them. */
function commonNames(leaf: X509Certificate): readonly string[] {
  const { CN: given = [] } = leaf.toLegacyObject().subject;
  return [given].flat().map((name) => {
    const wildcard = name.startsWith("*.") ? "*." : "";
    return wildcard + domainToASCII(name.slice(wildcard.length));
  });
}
