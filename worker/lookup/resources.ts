/** What a login is verified with. What depends on a secret is read when it is needed, and may throw then. */
import type { AddressRules } from "../directory/address.ts";
import type { Directory } from "../directory/database.ts";
import type { Tokens } from "../oauth/index.ts";
import type { PasswordScheme } from "../passwords/schemes/scheme.ts";
import type { SealingKeys } from "../secrets/index.ts";

export interface Resources {
  /** The primary, for what is written, and for what is seldom asked. */
  readonly directory: Directory;
  /** How logins are brought into the form in which the directory keeps addresses. */
  readonly addresses: AddressRules;
  /** In which passwords may be stored. */
  readonly schemes: readonly PasswordScheme[];
  /** Null where nobody's tokens are taken. */
  readonly tokens: () => Tokens | null;
  /** Null where no password can be read again. */
  readonly keys: () => SealingKeys | null;
  /** A master user's password at the mail servers; null if there is none. */
  readonly masterPassword: (user: string) => string | null;
}
