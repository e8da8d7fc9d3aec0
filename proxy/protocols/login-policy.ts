/** The logins that a server allows, in the clear or under TLS. Made once for all sessions of the server. */
import type { ServerSettings } from "../config/index.ts";
import { type Mechanism, acceptedMechanisms, announcedMethods } from "./sasl.ts";

export interface LoginPolicy {
  /** True where STARTTLS is announced and accepted. */
  readonly starttlsAvailable: boolean;
  /** True where a client must use STARTTLS before it logs in. */
  readonly starttlsRequired: boolean;
  /** True where commands with a readable password (LOGIN, USER and PASS) are accepted. */
  readonly passwordsAllowed: boolean;
  /** The methods of the `*_auth` directive that are announced. */
  readonly announced: readonly string[];
  /** The SASL mechanisms that are accepted, by name in small letters. */
  readonly mechanisms: ReadonlyMap<string, Mechanism>;
}

/**
 * @param methods of the protocol's `*_auth` directive
 * @param secure true for sessions under TLS
 */
export function loginPolicy(
  { starttls, auth_strict }: ServerSettings,
  methods: readonly string[],
  secure: boolean,
): LoginPolicy {
  const starttlsRequired = !secure && starttls === "only";
  const named = methods.includes("plain") || methods.includes("login");
  return {
    starttlsAvailable: !secure && starttls !== "off",
    starttlsRequired,
    passwordsAllowed: !starttlsRequired && (named || !auth_strict),
    announced: starttlsRequired ? [] : announcedMethods(methods, secure),
    mechanisms: starttlsRequired ? new Map() : acceptedMechanisms(methods, auth_strict, secure),
  };
}
