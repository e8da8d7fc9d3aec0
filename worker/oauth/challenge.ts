import type { Provider } from "./providers.ts";

/**
 * Makes the challenge that a client receives before its token is refused: RFC 7628 section 3.2.2, and for XOAUTH2
 * the HTTP status that Google's servers send.
 *
 * @returns base64, up to some 500 characters
 */
export function challengeFor(
  method: "xoauth2" | "oauthbearer",
  { scope, configuration }: Provider,
): string {
  const status = method === "xoauth2" ? "401" : "invalid_token";
  const failure = { status, schemes: "bearer", scope, "openid-configuration": configuration };
  return btoa(JSON.stringify(failure));
}
