/** Passwords that the lookup must read again: given once, sealed, and shown to nobody. */
import { z } from "@hono/zod-openapi";
import { secrets } from "../../directory/schema/index.ts";
import { isSendable, readKeys } from "../../secrets/index.ts";
import * as normal from "../normal.ts";
import { Refusal } from "../refusal.ts";
import { createInsertSchema, createSelectSchema, Name, type Resource } from "../resource.ts";

const newSecret = createInsertSchema(secrets, { user: Name })
  .omit({ sealed: true })
  .extend({
    secret: z.string().max(255).refine(isSendable, "printable ASCII, without blanks at its ends"),
  })
  .strict();

export const secretRows: Resource = {
  path: "secrets",
  name: "secret",
  table: secrets,
  key: ["user", "purpose"],
  filters: [],
  shown: createSelectSchema(secrets).omit({ sealed: true }),
  create: newSecret,
  change: null,
  writer: "admin",
  normal: { user: normal.address },
  async complete(given, { settings }) {
    const { secret, ...purpose } = newSecret.parse(given);
    const keys = readKeys(settings.SECRET_KEYS ?? "");
    if (keys === null) throw new Refusal(409, "no secret can be kept: set SECRET_KEYS first");
    return { row: { ...purpose, sealed: await keys.seal(secret, purpose) } };
  },
};
