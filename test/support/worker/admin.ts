/** The admin API as operators' programs call it, with a token for each role. */
import { createHash } from "node:crypto";
import { adminTokens } from "../../../worker/directory/schema/index.ts";
import { type Harness, type HarnessOptions, startHarness } from "./harness.ts";
import { fetchAnew } from "../http/http.ts";
import { secret } from "../secrets.ts";

export const BOOTSTRAP_SECRET = secret("once-upon-a-time");

/** Parsed JSON, which a test looks into as it likes. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

export type Role = "read" | "support" | "admin";

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where there is none. */
  readonly body: Json;
}

export interface Admin extends Harness {
  /** Calls as the holder of the role's token; the body goes as JSON. */
  call(role: Role, method: string, path: string, body?: unknown): Promise<AdminAnswer>;
}

/** The token of a role. */
export const tokenOf = (role: Role) => secret(`postern_test-${role}`);

export async function startAdmin(options: HarnessOptions = {}): Promise<Admin> {
  const secrets = { LOOKUP_KEYS: "key", ADMIN_BOOTSTRAP: BOOTSTRAP_SECRET };
  const harness = await startHarness({ secrets, ...options });
  for (const role of ["read", "support", "admin"] as const) {
    const digest = createHash("sha256").update(tokenOf(role)).digest("hex");
    await harness.db.insert(adminTokens).values({ name: role, digest, role, created: new Date() });
  }
  return {
    ...harness,
    call: (role, method, path, body) =>
      send(harness, path, {
        method,
        headers: { Authorization: `Bearer ${tokenOf(role)}`, "Content-Type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
  };
}

/** Any request to the API, by its path below `/admin/api`. */
export async function send(
  harness: Harness,
  path: string,
  init: RequestInit = {},
): Promise<AdminAnswer> {
  const response = await fetchAnew(new URL(`/admin/api${path}`, harness.url), init);
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, body: text === "" ? undefined : JSON.parse(text) };
}
