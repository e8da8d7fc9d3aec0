/** Passwords that operators give, either plain or as another system has stored them. */
import { z } from "@hono/zod-openapi";
import { hashPassword } from "../../passwords/schemes/argon2id.ts";
import { allowedSchemes } from "../../passwords/schemes/index.ts";
import { MAX_PASSWORD_BYTES } from "../../passwords/schemes/limits.ts";
import { checkStored } from "../../passwords/stored.ts";
import { ApiError } from "../http/api-error.ts";
import { NO_CONTROLS } from "../http/fields.ts";
import type { Settings } from "./resource.ts";

/** One of the two fields. A password must be one that mail programs can send and a login can verify. */
export const Password = z.object({
  password: z
    .string()
    .refine(isUsable, `1 to ${MAX_PASSWORD_BYTES} bytes, without CR, LF and NUL`)
    .openapi({ format: "password", minLength: 1, maxLength: MAX_PASSWORD_BYTES })
    .optional(),
  passwordHash: z
    .string()
    .max(1024)
    .regex(NO_CONTROLS, "no control characters")
    .openapi({
      description: "As Dovecot stores it: `{SCHEME}hash`, or a crypt string",
      pattern: NO_CONTROLS.source,
    })
    .optional(),
});

function isUsable(password: string): boolean {
  const { length } = new TextEncoder().encode(password);
  return length > 0 && length <= MAX_PASSWORD_BYTES && !/[\r\n\0]/.test(password);
}

/** The hash to store. @throws ApiError */
export function storedPassword(
  { password, passwordHash }: z.infer<typeof Password>,
  settings: Settings,
): string {
  if ((password === undefined) === (passwordHash === undefined)) {
    throw new ApiError(400, "give either a password or a passwordHash");
  }
  if (password !== undefined) return hashPassword(new TextEncoder().encode(password));
  const refused = unusableReason(passwordHash ?? "", settings);
  if (refused !== null) throw new ApiError(400, `passwordHash: ${refused}`);
  return passwordHash ?? "";
}

/** The reason why no login could verify a stored password; null where one could. */
export function unusableReason(stored: string, settings: Settings): string | null {
  const found = checkStored(stored, allowedSchemes(settings.WEAK_PASSWORD_SCHEMES));
  return "refused" in found ? `${found.refused}; the user needs a new password` : null;
}
