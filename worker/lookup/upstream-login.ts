/** Chooses the name and the password with which the proxy logs in at the user's mail server. */
import { type AddressRules, normalAddress } from "../directory/address.ts";
import { MASTER_SEPARATOR, masterLogin } from "../directory/login-names.ts";
import type { UserEntry } from "../directory/users.ts";
import { isSendable } from "../secrets/index.ts";
import type { LookupContext } from "./context.ts";
import { type LoginMethod, unavailable, type UnavailableLookup } from "./methods/index.ts";

export interface UpstreamCredentials {
  readonly kind: "credentials";
  /** Null if the proxy sends the client's own. */
  readonly login: string | null;
  readonly password: string | null;
}

/** The proxy does not log in, or sends the client's own credentials. */
export const CLIENT_CREDENTIALS: UpstreamCredentials = {
  kind: "credentials",
  login: null,
  password: null,
};

export async function upstreamLogin(
  entry: UserEntry,
  method: LoginMethod,
  context: LookupContext,
): Promise<UpstreamCredentials | UnavailableLookup> {
  const { user, group } = entry;
  const name = user.upstreamLogin ?? user.address;
  switch (group.upstreamAuth) {
    case "client":
      return credentials(name, await clientPassword(entry, method, context), context);
    case "stored":
      return credentials(name, await openSecret(entry, "upstream", context), context);
    case "master":
      return masterCredentials(entry, name, context);
  }
}

function masterCredentials(
  { group }: UserEntry,
  name: string,
  context: LookupContext,
): UpstreamCredentials | UnavailableLookup {
  const master = group.masterUser ?? "";
  const password = context.masterPassword(master);
  if (password === null) {
    return unavailable(
      "configuration",
      `MASTER_PASSWORDS has none for ${master}, the master of ${group.name}`,
    );
  }
  // The server would read the part after the separator as the master's name.
  if (name.includes(MASTER_SEPARATOR)) {
    return unavailable(
      "configuration",
      "a user's login name contains the separator of master users",
    );
  }
  return credentials(masterLogin(name, master), password, context);
}

/**
 * Returns null if the client sent the user's own password, or a token, which the server verifies too. Otherwise it
 * returns the user's own password, if the directory keeps it.
 */
async function clientPassword(
  entry: UserEntry,
  method: LoginMethod,
  context: LookupContext,
): Promise<string | null | UnavailableLookup> {
  switch (method) {
    case "xoauth2":
    case "oauthbearer":
      return null;
    case "plain":
      if (entry.appPassword === null || entry.ownSecret === null) return null;
      return openSecret(entry, "own", context);
    case "external":
      // The proxy need not log in at SMTP servers.
      if (entry.ownSecret === null && context.request.protocol === "smtp") return null;
      return openSecret(entry, "own", context);
    case "apop":
    case "cram-md5":
      return openSecret(entry, "own", context);
  }
}

/** @throws Error if the secret cannot be decrypted */
async function openSecret(
  { user, ownSecret, upstreamSecret }: UserEntry,
  purpose: "own" | "upstream",
  { keys }: LookupContext,
): Promise<string | UnavailableLookup> {
  const sealed = purpose === "own" ? ownSecret : upstreamSecret;
  if (sealed === null) {
    return unavailable("configuration", `no ${purpose} secret of ${user.address} is kept`);
  }
  const sealingKeys = keys();
  if (sealingKeys === null) {
    return unavailable("configuration", "there are sealed secrets, but no SECRET_KEYS");
  }
  return sealingKeys.open(sealed, { user: user.address, purpose });
}

function credentials(
  name: string,
  password: string | null | UnavailableLookup,
  { request, addresses }: LookupContext,
): UpstreamCredentials | UnavailableLookup {
  if (typeof password === "object" && password !== null) return password;
  const login = isSameName(request.login, name, addresses) ? null : name;
  return { kind: "credentials", login, password };
}

/**
 * True if the proxy can send the client's login name: the name itself, or the same address if the name does not fit
 * into a header.
 */
function isSameName(given: string, name: string, addresses: AddressRules): boolean {
  if (given === name) return true;
  return !isSendable(name) && given.includes("@") && normalAddress(given, addresses) === name;
}
