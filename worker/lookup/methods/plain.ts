/** A password in the clear: one of the user's app passwords, or their own. */
import { isUsable } from "../../directory/app-passwords.ts";
import { digestOf } from "../../directory/secret.ts";
import type { Entry } from "../../directory/users.ts";
import type { PasswordScheme } from "../../passwords/schemes/scheme.ts";
import { needsRehash } from "../../passwords/stored.ts";
import { spendVerification, verifyPassword } from "../../passwords/verify.ts";
import { unavailable } from "../result.ts";
import type { LookupRequest } from "../parse.ts";
import { isEnabled, type Method, NOT_ENABLED, type Verified, WRONG } from "./method.ts";

const BUSY = unavailable("too many passwords wait to be verified");

export const plain: Method = async (request, { schemes }) => {
  // What is not UTF-8, or begins with a mark of it, becomes characters that no app password has.
  const text = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(request.proof);
  const appPassword = await digestOf(text);
  return {
    login: request.login,
    presented: { appPassword },
    verify(entry) {
      if (entry === null || entry.appPassword === null) return verifyOwn(request, entry, schemes);
      // It was found by its digest, so it is right, and only who has it learns anything from the time.
      const { appPassword: used } = entry;
      if (!isEnabled(entry, request) || !isUsable(used, request.protocol)) return NOT_ENABLED;
      return { kind: "proved", entry, ...(used.expires && { until: used.expires.getTime() }) };
    },
  };
};

async function verifyOwn(
  request: LookupRequest,
  entry: Entry | null,
  schemes: readonly PasswordScheme[],
): Promise<Verified> {
  const { proof } = request;
  if (entry === null) return (await spendVerification(proof)) === "busy" ? BUSY : WRONG;
  const { address, passwordHash } = entry.user;
  // Who may not log in is verified all the same: nobody else is to learn that they may not.
  const enabled = isEnabled(entry, request);
  switch (await verifyPassword(proof, passwordHash, schemes)) {
    case "right":
      if (!enabled) return NOT_ENABLED;
      return { kind: "proved", entry, ...(needsRehash(passwordHash) && { weaklyKept: proof }) };
    case "wrong":
      return WRONG;
    case "busy":
      return BUSY;
    case "unreadable":
      return enabled ? unavailable(`the password hash of ${address} cannot be read`) : WRONG;
  }
}
