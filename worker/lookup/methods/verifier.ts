import type { ProtocolName } from "../../../shared/lookup.ts";
import type { AddressRules } from "../../directory/address.ts";
import type { Directory } from "../../directory/database.ts";
import type { SearchTerms, UserEntry } from "../../directory/users.ts";
import type { TokenVerifier } from "../../oauth/index.ts";
import type { HashClient } from "../../passwords/hash-queue.ts";
import type { PasswordScheme } from "../../passwords/schemes/scheme.ts";
import type { SealingKeys } from "../../secrets/index.ts";
import { NOT_ENABLED, type MethodVerdict } from "./verdict.ts";

/** The part of a lookup that authenticates the client. */
export interface ParsedCredentials {
  readonly protocol: ProtocolName;
  /** The login name as the client sent it; may be empty. */
  readonly login: string;
  /** `Auth-Pass`: the password's bytes, or what the method sends instead. May be empty. */
  readonly proof: Uint8Array;
  /** The challenge of `apop` and `cram-md5`; empty for other methods. */
  readonly salt: string;
  /** The client's certificate, if the caller has verified it; else null. */
  readonly certificate: ClientCertificate | null;
}

/** Fields as nginx writes them; null if the caller does not send them. */
export interface ClientCertificate {
  /** RFC 2253. */
  readonly subject: string | null;
  readonly issuer: string | null;
  /** SHA-1, in lower-case hex. */
  readonly fingerprint: string | null;
}

/** The stores and settings that methods verify with. A function reads its secret when it is called, and may throw. */
export interface MethodContext {
  /** The primary database, for writes and for rare reads. */
  readonly directory: Directory;
  readonly addresses: AddressRules;
  /** The password schemes that the operator allows. */
  readonly schemes: readonly PasswordScheme[];
  /** The work of refusals (`passwords/work.ts`). */
  readonly passwordWork: {
    /** Makes the costs of stored hashes known to this isolate, before the user is found. */
    readonly know: () => Promise<void>;
    /** Records what a verification has taught, after the response. */
    readonly record: () => void;
  };
  /** Null if no token provider is configured. */
  readonly tokens: () => TokenVerifier | null;
  /** Null if no keys are configured. */
  readonly keys: () => SealingKeys | null;
}

/** Verifies one login, in two steps: the directory is read between them. */
export interface Verifier {
  /** The login name to find. */
  readonly login: string;
  /** Rows to find in addition to the user. */
  readonly terms?: SearchTerms;
  /**
   * @param entry the user with this name; null if there is none
   * @param client the client, if a password must be hashed
   */
  verify(entry: UserEntry | null, client: HashClient): MethodVerdict | Promise<MethodVerdict>;
}

/** Makes the verifier of an authentication method. */
export type VerifierFactory = (
  credentials: ParsedCredentials,
  context: MethodContext,
) => Verifier | Promise<Verifier>;

/** Refuses all logins, for methods that are not configured. */
export function refuseAll({ login }: ParsedCredentials): Verifier {
  return { login, verify: () => NOT_ENABLED };
}

export function isEnabled({ user }: UserEntry, { protocol }: ParsedCredentials): boolean {
  return user.enabled && user[protocol];
}
