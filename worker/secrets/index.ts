/**
 * Recoverable passwords. The database has users' passwords encrypted with keys that it does not contain, so that a
 * copy of the database reveals none of them.
 */
export { readMasterPasswords } from "./master-passwords.ts";
export { isSendable } from "./sendable.ts";
export { readKeys, type SealingKeys } from "./sealing-keys.ts";
