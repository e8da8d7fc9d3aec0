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

const common = {
  /** The claim with the user's address. */
  address: z.string().min(1).default("email"),
  /** The scope that a token must have. */
  scope: z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/)
    .optional(),
  /** Refused clients receive this URL, so that they can get a token. */
  configuration: Endpoint.max(150).optional(),
};

/** A provider of JWTs, with published keys. */
const Signing = z.strictObject({
  ...common,
  issuer: z.string().min(1),
  audience: Audience,
  jwks: Endpoint,
});

/** A provider that answers introspection requests (RFC 7662). */
const Introspecting = z.strictObject({
  ...common,
  issuer: z.string().min(1).optional(),
  audience: Audience.optional(),
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
