import type { AuthMethod } from "../../../shared/lookup.ts";
import { apop, cramMd5 } from "./digest.ts";
import { external } from "./external.ts";
import type { Method } from "./method.ts";
import { oauth } from "./oauth.ts";
import { plain } from "./plain.ts";

export type { Proved } from "./method.ts";

/** With `none`, nobody logs in. */
export type LoginMethod = Exclude<AuthMethod, "none">;

/** How each method of authentication is verified. */
export const METHODS: Record<LoginMethod, Method> = {
  plain,
  apop,
  "cram-md5": cramMd5,
  external,
  xoauth2: oauth("xoauth2"),
  oauthbearer: oauth("oauthbearer"),
};
