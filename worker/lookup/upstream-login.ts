/** With what name and password the proxy logs in at the user's server. */
import { type AddressRules, normalAddress } from "../directory/address.ts";
import type { Entry } from "../directory/users.ts";
import { isSendable } from "../secrets/index.ts";
import type { LoginMethod } from "./methods/index.ts";
import { type Unavailable, unavailable } from "./result.ts";
import type { LookupRequest } from "./parse.ts";
import type { Resources } from "./resources.ts";

export interface UpstreamLogin {
  readonly kind: "login";
  /** Each null if it is what the client gave. */
  readonly login: string | null;
  readonly password: string | null;
}

/** Where nobody logs in. */
export const NO_LOGIN: UpstreamLogin = { kind: "login", login: null, password: null };

/** What decides by which names a user may be logged in at their server. */
export interface Named {
  readonly address: string;
  readonly upstreamLogin: string | null;
  /** Of the user's group. */
  readonly masterUser: string | null;
}

/** All of them, and the address. */
export function namesOf({ address, upstreamLogin: given, masterUser }: Named): readonly string[] {
  const name = given ?? address;
  const mastered = masterUser === null ? [] : [throughMaster(name, masterUser)];
  return [...new Set([address, name, ...mastered])];
}

export async function upstreamLogin(
  entry: Entry,
  method: LoginMethod,
  request: LookupRequest,
  resources: Resources,
): Promise<UpstreamLogin | Unavailable> {
  const { user, group } = entry;
  const name = user.upstreamLogin ?? user.address;
  switch (group.upstreamAuth) {
    case "client":
      return answer(name, await asTheClient(entry, method, request, resources), request, resources);
    case "stored":
      return answer(name, await open(entry, "upstream", resources), request, resources);
    case "master":
      return asMaster(entry, name, request, resources);
  }
}

/** Between the names of user and master (Dovecot's `auth_master_user_separator`). */
const SEPARATOR = "*";

function asMaster(
  { group }: Entry,
  name: string,
  request: LookupRequest,
  resources: Resources,
): UpstreamLogin | Unavailable {
  const master = group.masterUser ?? "";
  const password = resources.masterPassword(master);
  if (password === null) {
    return unavailable(`MASTER_PASSWORDS has none for ${master}, the master of ${group.name}`);
  }
  // Otherwise a part of the user's name would be taken for the master's.
  if (name.includes(SEPARATOR))
    return unavailable("a user of a master's has its separator in the name");
  return answer(throughMaster(name, master), password, request, resources);
}

function throughMaster(name: string, master: string): string {
  return `${name}${SEPARATOR}${master}`;
}

/**
 * What the client gave will do if it is the user's password, or a token that the server is to judge too.
 * Otherwise it is their own password, if that is kept.
 */
async function asTheClient(
  entry: Entry,
  method: LoginMethod,
  { protocol }: LookupRequest,
  resources: Resources,
): Promise<string | null | Unavailable> {
  switch (method) {
    case "xoauth2":
    case "oauthbearer":
      return null;
    case "plain":
      if (entry.appPassword === null || entry.ownSecret === null) return null;
      return open(entry, "own", resources);
    case "external":
      // Towards SMTP servers the proxy need not log in.
      if (entry.ownSecret === null && protocol === "smtp") return null;
      return open(entry, "own", resources);
    case "apop":
    case "cram-md5":
      return open(entry, "own", resources);
  }
}

/** @throws Error if it cannot be opened */
async function open(
  { user, ownSecret, upstreamSecret }: Entry,
  purpose: "own" | "upstream",
  { keys }: Resources,
): Promise<string | Unavailable> {
  const sealed = purpose === "own" ? ownSecret : upstreamSecret;
  if (sealed === null) return unavailable(`no ${purpose} secret of ${user.address} is kept`);
  const opener = keys();
  if (opener === null) return unavailable("there are sealed secrets, but no SECRET_KEYS");
  return opener.open(sealed, { user: user.address, purpose });
}

function answer(
  name: string,
  password: string | null | Unavailable,
  { login: given }: LookupRequest,
  { addresses }: Resources,
): UpstreamLogin | Unavailable {
  if (typeof password === "object" && password !== null) return password;
  const login = stands(given, name, addresses) ? null : name;
  return { kind: "login", login, password };
}

/** Whether what the client wrote will do: the name itself, or the same address where no header could carry it. */
function stands(given: string, name: string, addresses: AddressRules): boolean {
  if (given === name) return true;
  return !isSendable(name) && given.includes("@") && normalAddress(given, addresses) === name;
}
