import { z } from "zod";

const Passwords = z.record(z.string(), z.string());

/**
 * Reads `MASTER_PASSWORDS`, the passwords of Dovecot's master users: `{"NAME": "PASSWORD", …}`.
 *
 * @throws Error if the setting is invalid; the message contains no password
 */
export function readMasterPasswords(setting: string): ReadonlyMap<string, string> {
  if (setting.trim() === "") return new Map();
  try {
    return new Map(Object.entries(Passwords.parse(JSON.parse(setting))));
  } catch {
    // The messages of these errors may quote the text.
    throw new Error("MASTER_PASSWORDS is not a JSON object of names and passwords");
  }
}
