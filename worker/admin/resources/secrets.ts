/** The resource of passwords that the lookup must read again. They are sealed, and the API never shows them. */
import { z } from "@hono/zod-openapi";
import { secrets } from "../../directory/schema/index.ts";
import { isSendable, readKeys } from "../../secrets/index.ts";
import { ApiError } from "../http/api-error.ts";
import { createInsertSchema, createSelectSchema, Name } from "../http/fields.ts";
import * as normalize from "../rows/normalize.ts";
import type { Resource, Settings } from "../rows/resource.ts";

const newSecret = createInsertSchema(secrets, { user: Name })
  .omit({ sealed: true })
  .extend({
    secret: z
      .string()
      .refine(isFit, "give 1 to 255 characters of printable ASCII, without blanks at its ends")
      .openapi({ format: "password", minLength: 1, maxLength: 255 }),
  })
  .strict();

function isFit(secret: string): boolean {
  return secret.length <= 255 && isSendable(secret);
}

const changedSecret = newSecret.omit({ user: true, purpose: true });

export const secretRows: Resource = {
  path: "secrets",
  name: "secret",
  table: secrets,
  key: ["user", "purpose"],
  filters: ["user"],
  shown: createSelectSchema(secrets).omit({ sealed: true }),
  create: newSecret,
  change: changedSecret,
  writer: "admin",
  normalize: { user: normalize.address },
  async complete(given, { settings }) {
    const { secret, ...purpose } = newSecret.parse(given);
    return { row: { ...purpose, sealed: await sealingKeys(settings).seal(secret, purpose) } };
  },
  async alter(changes, [user, purpose], { settings }) {
    const { success, data } = newSecret.safeParse({ ...changes, user, purpose });
    if (!success) throw new ApiError(404, `there is no secret ${user} ${purpose}`);
    const { secret, ...place } = data;
    return { sealed: await sealingKeys(settings).seal(secret, place) };
  },
};

/** @throws ApiError */
function sealingKeys({ SECRET_KEYS = "" }: Settings) {
  const keys = readKeys(SECRET_KEYS);
  if (keys === null) {
    throw new ApiError(
      409,
      "no secret can be kept yet; run `wrangler secret put SECRET_KEYS` first",
    );
  }
  return keys;
}
