/** Lookups: the `auth_http` client. */
export type { Answer, Authority, LookupRequest } from "./authority.ts";
export { HttpAuthority } from "./http-authority.ts";
