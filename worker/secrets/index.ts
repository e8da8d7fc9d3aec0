/**
 * Passwords that must be read again. Users' are in the database, encrypted under keys that are not, so that
 * a copy of it gives none of them away.
 */
export { readMasterPasswords } from "./master-passwords.ts";
export { isSendable } from "./sendable.ts";
export { readKeys, type SealingKeys } from "./sealing-keys.ts";
