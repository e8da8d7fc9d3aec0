/** The names with which the proxy may log a user in at the mail server. */

/** The columns that decide a user's names. */
export interface LoginNameColumns {
  readonly address: string;
  readonly upstreamLogin: string | null;
  /** The master user of the user's group. */
  readonly masterUser: string | null;
}

/** Dovecot's `auth_master_user_separator`. */
export const MASTER_SEPARATOR = "*";

export function masterLogin(name: string, master: string): string {
  return `${name}${MASTER_SEPARATOR}${master}`;
}

/** Lists the user's address and all their login names at the mail server. */
export function loginNames({
  address,
  upstreamLogin,
  masterUser,
}: LoginNameColumns): readonly string[] {
  const name = upstreamLogin ?? address;
  const mastered = masterUser === null ? [] : [masterLogin(name, masterUser)];
  return [...new Set([address, name, ...mastered])];
}
