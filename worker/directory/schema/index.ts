/**
 * The directory's tables in D1: users, and the servers with their mail.
 *
 * Primary keys are the operator's names (an address, a server's name), so that a row can be read alone. Addresses
 * are stored in the form of `normalAddress`. The database refuses capitals.
 */
export { adminTokens, audit } from "./operators.ts";
export {
  type Group,
  type MailServer,
  domains,
  groups,
  networks,
  serverHealth,
  servers,
} from "./routing.ts";
export {
  aliases,
  appPasswords,
  certificates,
  knownNetworks,
  passwordWork,
  revocations,
  secrets,
  users,
} from "./users.ts";
