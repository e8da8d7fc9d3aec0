/** Somebody with a mailbox. */
export type Account = { readonly address: string; readonly password: string };

/** The user and group `mail`, which own the maildirs. Debian fixes their number. */
export const debianMail = 8;
