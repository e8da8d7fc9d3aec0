/** A password in the clear: one of the user's app passwords, or their own. */
import { isUsable } from "../../directory/app-passwords.ts";
import { digestOf } from "../../directory/secret.ts";
import type { Entry } from "../../directory/users.ts";
import type { PasswordScheme } from "../../passwords/scheme.ts";
import { needsRehash } from "../../passwords/stored.ts";
import { spendVerification, verifyPassword } from "../../passwords/verify.ts";
import { unavailable } from "../outcome.ts";
import type { LookupRequest } from "../request.ts";
import { isEnabled, type Method, NOT_ENABLED, type Verified, WRONG } from "./method.ts";

const BUSY = unavailable("too many passwords wait to be verified");

export const plain: Method = async (request, { schemes }) => {
  // What is not UTF-8 becomes characters that no app password has.
  const appPassword = await digestOf(new TextDecoder().decode(request.proof));
  return {
    login: request.login,
    presented: { appPassword },
    verify(entry) {
      if (entry === null || entry.appPassword === null) return verifyOwn(request, entry, schemes);
      // It was found by its digest, so it is right, and only who has it learns anything from the time.
      const usable = isEnabled(entry, request) && isUsable(entry.appPassword, request.protocol);
      return usable ? { kind: "proved", entry } : NOT_ENABLED;
    },
  };
};

async function verifyOwn(
  request: LookupRequest,
  entry: Entry | null,
  schemes: readonly PasswordScheme[],
): Promise<Verified> {
  const { proof } = request;
  if (entry === null || !isEnabled(entry, request)) {
    if ((await spendVerification(proof)) === "busy") return BUSY;
    return entry === null ? WRONG : NOT_ENABLED;
  }
  const { address, passwordHash } = entry.user;
  switch (await verifyPassword(proof, passwordHash, schemes)) {
    case "right":
      return {
        kind: "proved",
        entry,
        ...(needsRehash(passwordHash) && { weaklyKept: proof }),
      };
    case "wrong":
      return WRONG;
    case "busy":
      return BUSY;
    case "unreadable":
      return { kind: "unavailable", reason: `the password hash of ${address} cannot be read` };
  }
}
