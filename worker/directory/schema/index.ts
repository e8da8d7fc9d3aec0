/**
 * The directory's tables in D1: who may log in, and where their mail is kept.
 *
 * Rows are named by what an operator calls them (an address, a server's name), so that a row can be
 * read alone. Addresses are stored in the form of `normalAddress`; the database refuses capitals.
 */
export { adminTokens, audit } from "./operators.ts";
export {
  type Group,
  type Server,
  domains,
  groups,
  networks,
  serverHealth,
  servers,
} from "./routing.ts";
export { aliases, appPasswords, certificates, knownNetworks, secrets, users } from "./users.ts";
