import { z } from "zod";

const Passwords = z.record(z.string(), z.string());

/**
 * Reads `MASTER_PASSWORDS`: what Dovecot's master users log in with, as `{"NAME": "PASSWORD", …}`.
 *
 * @throws Error if it makes no sense; the message holds no password
 */
export function readMasterPasswords(setting: string): ReadonlyMap<string, string> {
  if (setting.trim() === "") return new Map();
  try {
    return new Map(Object.entries(Passwords.parse(JSON.parse(setting))));
  } catch {
    // The errors' own words may quote the text.
    throw new Error("MASTER_PASSWORDS is not a JSON object of names and passwords");
  }
}
