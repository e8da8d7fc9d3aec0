/** Passwords as operators give them: in plain, or as another system has stored them. */
import { z } from "@hono/zod-openapi";
import { hashPassword } from "../passwords/argon2id.ts";
import { allowedSchemes } from "../passwords/schemes.ts";
import { checkStored } from "../passwords/stored.ts";
import { Refusal } from "./refusal.ts";
import type { Settings } from "./resource.ts";

/** One of the two. What mail programs cannot send is no password. */
export const Password = z.object({
  password: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[^\r\n\0]+$/, "no CR, LF or NUL")
    .optional(),
  passwordHash: z
    .string()
    .max(1024)
    .openapi({ description: "As Dovecot stores it: `{SCHEME}hash`, or a crypt string" })
    .optional(),
});

/** What is stored. @throws Refusal */
export function storedPassword(
  { password, passwordHash }: z.infer<typeof Password>,
  settings: Settings,
): string {
  if ((password === undefined) === (passwordHash === undefined)) {
    throw new Refusal(400, "give either a password or a passwordHash");
  }
  if (password !== undefined) return hashPassword(new TextEncoder().encode(password));
  const refused = whyUnusable(passwordHash ?? "", settings);
  if (refused !== null) throw new Refusal(400, `passwordHash: ${refused}`);
  return passwordHash ?? "";
}

/** Why a stored password can be of no use, without the work of verifying one; null where it can. */
export function whyUnusable(stored: string, settings: Settings): string | null {
  const found = checkStored(stored, allowedSchemes(settings.WEAK_PASSWORD_SCHEMES));
  return "refused" in found ? found.refused : null;
}
