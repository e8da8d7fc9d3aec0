/** A certificate with its key, and the facts that Postern needs of it, so that it is parsed once. */
import { type X509Certificate, hash } from "node:crypto";
import { domainToASCII } from "node:url";
import type { KeyPair } from "../../transport/index.ts";
import type { CertificateChain, PrivateKey } from "./tls-files.ts";

export interface ServerCertificate extends KeyPair {
  /** File of the certificate, for messages. */
  readonly file: string;
  /** Hash of the chain. */
  readonly id: string;
  readonly keyType: string;
  /** Host names that the certificate is for, in lower case. `*.` in front stands for one label. */
  readonly names: readonly string[];
  readonly subject: string;
  readonly serial: string;
  /** ms since 1970 */
  readonly expires: number;
}

export function serverCertificate(
  { name, leaf, certificates }: CertificateChain,
  { key, pem }: PrivateKey,
): ServerCertificate {
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

/** ASCII labels; labels of other scripts are A-labels (RFC 5890 section 2.3.2.1). */
const HOST = /^(?:\*\.)?[\w-]+(?:\.[\w-]+)*$/;

/** The names in the subjectAltName extension; the common name if there is no such extension (RFC 6125 section 6.4.4). */
function hostNames(leaf: X509Certificate): readonly string[] {
  const { subjectAltName } = leaf;
  return (subjectAltName === undefined ? commonNames(leaf) : dnsNames(subjectAltName))
    .map((name) => name.toLowerCase())
    .filter((name) => HOST.test(name));
}

/** Node quotes a name that could be taken for several names. */
function dnsNames(subjectAltName: string): readonly string[] {
  const plain = subjectAltName.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  return [...plain.matchAll(/(?:^|, )DNS:([^,"]+)/g)].map(([, name = ""]) => name);
}

/** A common name, unlike a DNS name, may be written in any script. */
function commonNames(leaf: X509Certificate): readonly string[] {
  const { CN: given = [] } = leaf.toLegacyObject().subject;
  return [given].flat().map((name) => {
    const wildcard = name.startsWith("*.") ? "*." : "";
    return wildcard + domainToASCII(name.slice(wildcard.length));
  });
}
