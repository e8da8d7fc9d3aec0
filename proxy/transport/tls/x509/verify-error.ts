/** The reasons why OpenSSL does not trust a certificate (X509_STORE_CTX_get_error(3)). */
import type { TLSSocket } from "node:tls";
import type { VerifyError } from "../../connection.ts";

/** Node's names for OpenSSL's numbers, in order. */
const NAMES = [
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_CRL",
  "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
  "UNABLE_TO_DECRYPT_CRL_SIGNATURE",
  "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
  "CERT_SIGNATURE_FAILURE",
  "CRL_SIGNATURE_FAILURE",
  "CERT_NOT_YET_VALID",
  "CERT_HAS_EXPIRED",
  "CRL_NOT_YET_VALID",
  "CRL_HAS_EXPIRED",
  "ERROR_IN_CERT_NOT_BEFORE_FIELD",
  "ERROR_IN_CERT_NOT_AFTER_FIELD",
  "ERROR_IN_CRL_LAST_UPDATE_FIELD",
  "ERROR_IN_CRL_NEXT_UPDATE_FIELD",
  "OUT_OF_MEM",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_CHAIN_TOO_LONG",
  "CERT_REVOKED",
  "INVALID_CA",
  "PATH_LENGTH_EXCEEDED",
  "INVALID_PURPOSE",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
];
/** Number of the first name. */
const FIRST = 2;

/** Number of an error that Node has no name for. */
const UNSPECIFIED = 1;
/** Numbers of such errors by OpenSSL's text. */
const UNNAMED: Readonly<Record<string, number>> = {
  "EE certificate key too weak": 66,
  "CA certificate key too weak": 67,
  "CA signature digest algorithm too weak": 68,
};

/** Node appends this to OpenSSL's text if the authority is unknown. */
const NODES_ADVICE = "; if the root CA is installed locally";

export const NO_ISSUER: VerifyError = { code: 2, reason: "unable to get issuer certificate" };
export const EXPIRED: VerifyError = { code: 10, reason: "certificate has expired" };
export const SELF_SIGNED_IN_CHAIN: VerifyError = {
  code: 19,
  reason: "self-signed certificate in certificate chain",
};
export const NO_LOCAL_ISSUER: VerifyError = {
  code: 20,
  reason: "unable to get local issuer certificate",
};

/** Errors from building the chain. OpenSSL overwrites them by errors in the certificates of the chain. */
const ABOUT_TRUST = [2, 18, 19, 20, 21, 27];

export function isAboutTrust(error: VerifyError | null): boolean {
  return error === null || ABOUT_TRUST.includes(error.code);
}

/** Node's own servers call this undocumented method. A socket without a server has no other way to the error. */
interface Verifying {
  verifyError(): (Error & { readonly code: string }) | null | undefined;
}

export function verifyError(secured: TLSSocket & { _handle?: Verifying }): VerifyError | null {
  // oxlint-disable-next-line no-underscore-dangle -- there is no other way, see above
  const error = secured._handle?.verifyError() ?? null;
  return error === null ? null : numbered(error);
}

/** OpenSSL's number and text of an error about a certificate; null for other errors. */
export function asVerifyError(error: Error): VerifyError | null {
  if (!("code" in error) || typeof error.code !== "string") return null;
  const { code, message } = error;
  return code === "UNSPECIFIED" || NAMES.includes(code) ? numbered({ code, message }) : null;
}

function numbered({ code, message }: { code: string; message: string }): VerifyError {
  const index = NAMES.indexOf(code);
  const [reason = ""] = message.split(NODES_ADVICE, 1);
  return { code: index === -1 ? (UNNAMED[reason] ?? UNSPECIFIED) : index + FIRST, reason };
}
