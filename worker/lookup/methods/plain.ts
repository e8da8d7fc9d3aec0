/** A plaintext password: one of the user's app passwords, or the user's own. */
import { isUsable } from "../../directory/app-passwords.ts";
import { digestOf } from "../../directory/secret.ts";
import type { UserEntry } from "../../directory/users.ts";
import { needsRehash } from "../../passwords/stored.ts";
import {
  simulateVerification,
  type VerifyOptions,
  verifyPassword,
} from "../../passwords/verify.ts";
import { NOT_ENABLED, unavailable, type MethodVerdict, WRONG_CREDENTIALS } from "./verdict.ts";
import { isEnabled, type ParsedCredentials, type VerifierFactory } from "./verifier.ts";

const BUSY = unavailable("busy", "too many passwords wait to be verified");

export const plain: VerifierFactory = async (credentials, { schemes, passwordWork }) => {
  await passwordWork.know();
  // Bytes that are not UTF-8, and a byte order mark, become characters that app passwords do not contain.
  const text = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(
    credentials.proof,
  );
  const appPassword = await digestOf(text);
  return {
    login: credentials.login,
    terms: { appPassword },
    async verify(entry, client) {
      if (entry === null || entry.appPassword === null) {
        const verdict = await verifyOwn(credentials, entry, { client, schemes });
        passwordWork.record();
        return verdict;
      }
      // The digest has found the app password, so it is right. The shorter time tells its owner alone.
      const { appPassword: used } = entry;
      if (!isEnabled(entry, credentials) || !isUsable(used, credentials.protocol)) {
        return NOT_ENABLED;
      }
      return { kind: "verified", entry, ...(used.expires && { expires: used.expires.getTime() }) };
    },
  };
};

async function verifyOwn(
  credentials: ParsedCredentials,
  entry: UserEntry | null,
  options: VerifyOptions,
): Promise<MethodVerdict> {
  const { proof } = credentials;
  if (entry === null) {
    return (await simulateVerification(proof, options)) === "busy" ? BUSY : WRONG_CREDENTIALS;
  }
  const { address, passwordHash } = entry.user;
  // A disabled user's password is verified too, so that the time does not reveal that they are disabled.
  const enabled = isEnabled(entry, credentials);
  switch (await verifyPassword(proof, passwordHash, options)) {
    case "right":
      if (!enabled) return NOT_ENABLED;
      return { kind: "verified", entry, ...(needsRehash(passwordHash) && { weaklyHashed: proof }) };
    case "wrong":
      return WRONG_CREDENTIALS;
    case "busy":
      return BUSY;
    case "unreadable":
      return enabled
        ? unavailable("configuration", `the password hash of ${address} cannot be read`)
        : WRONG_CREDENTIALS;
  }
}
