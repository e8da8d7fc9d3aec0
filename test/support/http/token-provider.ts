/** An OAuth provider on this machine: it signs tokens, publishes its keys, and answers about tokens. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { secret } from "../secrets.ts";

export interface TokenProvider {
  readonly url: string;
  /** The settings of OAUTH_PROVIDERS for each way of checking tokens. */
  readonly signing: Readonly<Record<string, unknown>>;
  readonly introspecting: Readonly<Record<string, unknown>>;
  /** A token for `alice@example.test` that is good for an hour, with these changes; undefined takes away. */
  sign(changes?: Readonly<Record<string, unknown>>, options?: SignOptions): Promise<string>;
  /** The keys that it publishes. */
  readonly keys: object[];
  /** The answers about opaque tokens; other tokens are unknown. */
  readonly opaque: Map<string, Record<string, unknown>>;
  /** The path and the form of each request. */
  readonly requests: { readonly path: string; readonly form: URLSearchParams }[];
  /** Null again answers normally. */
  trouble: { readonly status: number; readonly body: string } | null;
  close(): Promise<void>;
}

interface SignOptions {
  readonly alg?: "ES256" | "RS256" | "EdDSA";
  readonly header?: Readonly<Record<string, unknown>>;
}

const CLIENT = { client: "postern:mail", secret: secret("s3cret/+ä") };

export async function startTokenProvider(): Promise<TokenProvider> {
  const algorithms = ["ES256", "RS256", "EdDSA"] as const;
  const pairs = await Promise.all(
    algorithms.map(async (alg) => ({
      alg,
      ...(await generateKeyPair(alg, { extractable: true })),
    })),
  );
  // A second key of one kind: tokens that do not name theirs may be of either.
  const other = await generateKeyPair("ES256");
  const published = [
    ...pairs.map((pair) => ({ ...pair, kid: pair.alg })),
    { alg: "ES256", kid: "other", ...other },
  ];
  const keys = await Promise.all(
    published.map(async ({ publicKey, alg, kid }) => ({
      ...(await exportJWK(publicKey)),
      alg,
      kid,
    })),
  );
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: TokenProvider = {
    url,
    signing: { issuer: url, audience: "mail", jwks: `${url}/keys`, domains: ["example.test"] },
    introspecting: {
      introspection: `${url}/introspect`,
      audience: "mail",
      domains: ["example.test"],
      ...CLIENT,
    },
    async sign(changes = {}, { alg = "ES256", header = {} } = {}) {
      const now = Math.floor(Date.now() / 1000);
      const address = { email: "alice@example.test", email_verified: true };
      const claims = { iss: url, aud: "mail", exp: now + 3600, ...address };
      const { privateKey } = pairs.find((pair) => pair.alg === alg)!;
      const token = new SignJWT({ ...claims, ...changes });
      return secret(
        await token
          .setProtectedHeader({ alg, kid: alg, typ: "at+jwt", ...header })
          .sign(privateKey),
      );
    },
    keys,
    opaque: new Map(),
    requests: [],
    trouble: null,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  server.on("request", (request, response) => {
    void answer(provider, request).then(({ status, body }) =>
      response.writeHead(status, { "Content-Type": "application/json" }).end(body),
    );
  });
  return provider;
}

async function answer(provider: TokenProvider, request: IncomingMessage) {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const form = new URLSearchParams(Buffer.concat(pieces).toString());
  provider.requests.push({ path: request.url ?? "", form });
  if (provider.trouble !== null) return provider.trouble;
  if (request.url === "/keys")
    return { status: 200, body: JSON.stringify({ keys: provider.keys }) };
  // RFC 6749 section 2.3.1.
  const [client, key] = atob(request.headers.authorization?.replace("Basic ", "") ?? "").split(":");
  const known = new URLSearchParams(`client=${client}&secret=${key}`);
  if (known.get("client") !== CLIENT.client || known.get("secret") !== CLIENT.secret) {
    return { status: 401, body: "{}" };
  }
  const claims = provider.opaque.get(form.get("token") ?? "");
  return { status: 200, body: JSON.stringify(claims ?? { active: false }) };
}
