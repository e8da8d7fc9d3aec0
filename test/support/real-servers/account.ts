/** Somebody with a mailbox. */
export type Account = { readonly address: string; readonly password: string };

/** The user and group `mail`, whose number is fixed in Debian: they own the maildirs. */
export const debianMail = 8;
