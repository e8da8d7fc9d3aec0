/** The result of verifying a token. */
export type TokenResult =
  | {
      readonly kind: "valid";
      /** The user's address, in the form of `normalAddress`. */
      readonly address: string;
      /** The domains that the provider may vouch for (`vouchesFor`). */
      readonly domains: readonly string[];
      /** ms since the epoch; Infinity if the provider does not say. */
      readonly expires: number;
    }
  | {
      readonly kind: "invalid";
      /** True if the provider issued the token for us, but not for now, or not for mail. */
      readonly authentic: boolean;
    }
  /** The token cannot be verified. The reason is for the log. */
  | { readonly kind: "unavailable"; readonly reason: string };

export const FORGED: TokenResult = { kind: "invalid", authentic: false };
export const UNFIT: TokenResult = { kind: "invalid", authentic: true };
