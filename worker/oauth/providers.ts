/** Reads the setting `OAUTH_PROVIDERS`. */
import { z } from "zod";

/** HTTPS, or HTTP on loopback. */
const Endpoint = z.url().refine(isSafe, "an https:// address is wanted");

function isSafe(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol === "http:") return /^(127\.0\.0\.1|localhost)$/.test(url.hostname);
  return url?.protocol === "https:";
}

const Audience = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

/** The word in place of a domain for a provider that may vouch for every user. */
export const ANY_DOMAIN = "*";

/** In the form in which the directory keeps domains. */
const Domain = z
  .string()
  .regex(
    /^[a-z\d_-]+(?:\.[a-z\d_-]+)*$/,
    "a domain in lower case, and in ASCII (xn--…), is wanted",
  );

/** Without the field, a second provider could log in the users of the first. */
const Domains = z
  .array(z.union([z.literal(ANY_DOMAIN), Domain]), {
    error: `list the domains whose users this provider may log in, or ["${ANY_DOMAIN}"] for all`,
  })
  .min(1);

const common = {
  /** The claim with the user's address. */
  address: z.string().min(1).default("email"),
  /** The domains of the users whom the provider may log in. */
  domains: Domains,
  /** The domain of users whose claim is a bare name. Without it such a claim is refused. */
  default_domain: Domain.optional(),
  /** `ignored`: the provider lets no user choose an address, or verifies each. */
  email_verified: z.enum(["required", "ignored"]).default("required"),
  /** The scope that a token must have. */
  scope: z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/)
    .optional(),
  /** Refused clients receive this URL, so that they can get a token. */
  configuration: Endpoint.max(150).optional(),
};

/** Only asymmetric algorithms, so that the issuer's public key cannot be used as a shared secret. */
// prettier-ignore
const ALGORITHMS = [
  "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
] as const;

/** A provider of JWTs, with published keys. */
const Signing = z.strictObject({
  ...common,
  issuer: z.string().min(1),
  audience: Audience,
  jwks: Endpoint,
  /**
   * The type in a token's header. RFC 9068 section 2.1 gives access tokens one of their own, so that an ID token is
   * not taken for one. Providers from before it write `JWT`.
   */
  typ: z.enum(["at+jwt", "JWT"]).default("at+jwt"),
  algorithms: z
    .array(z.enum(ALGORITHMS))
    .min(1)
    .default([...ALGORITHMS]),
});

/** A provider that answers introspection requests (RFC 7662). */
const Introspecting = z.strictObject({
  ...common,
  issuer: z.string().min(1).optional(),
  audience: Audience,
  introspection: Endpoint,
  client: z.string().min(1),
  secret: z.string().min(1),
});

export type SigningProvider = z.infer<typeof Signing>;
export type IntrospectingProvider = z.infer<typeof Introspecting>;
export type Provider = SigningProvider | IntrospectingProvider;

/**
 * @returns null if the setting is empty
 * @throws Error if the setting is invalid; the message contains no secret
 */
export function readProviders(setting: string): readonly [Provider, ...Provider[]] | null {
  if (setting.trim() === "") return null;
  const list = parse(setting);
  if (!Array.isArray(list)) throw new Error("OAUTH_PROVIDERS is not a JSON list");
  const [first, ...others] = list.map(readProvider);
  return first === undefined ? null : [first, ...others];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw new Error("OAUTH_PROVIDERS is not JSON");
  }
}

function readProvider(value: unknown, index: number): Provider {
  const signs = typeof value === "object" && value !== null && "jwks" in value;
  const { data, error } = (signs ? Signing : Introspecting).safeParse(value);
  if (error === undefined) return data;
  const [issue] = error.issues;
  throw new Error(`OAUTH_PROVIDERS[${index}] ${issue?.path.join(".")}: ${issue?.message}`);
}
