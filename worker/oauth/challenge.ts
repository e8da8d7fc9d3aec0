import type { Provider } from "./providers.ts";

/**
 * What a client whose token is refused is told before it is refused: RFC 7628 section 3.2.2, and for
 * XOAUTH2 the HTTP status that Google's servers put there.
 *
 * @returns base64, some 500 characters at the most
 */
export function challengeOf(
  method: "xoauth2" | "oauthbearer",
  { scope, configuration }: Provider,
): string {
  const status = method === "xoauth2" ? "401" : "invalid_token";
  const failure = { status, schemes: "bearer", scope, "openid-configuration": configuration };
  return btoa(JSON.stringify(failure));
}
