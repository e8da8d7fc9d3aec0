/** What is found out about a token. */
export type Finding =
  | {
      readonly kind: "valid";
      /** The address that it proves, as the provider writes it. */
      readonly address: string;
      /** ms since the epoch; Infinity where the provider does not say. */
      readonly expires: number;
    }
  | {
      readonly kind: "invalid";
      /** The provider did make it for us, but it does not serve: not now, or not for mail. */
      readonly authentic: boolean;
    }
  /** Nobody can tell. The reason is for the log. */
  | { readonly kind: "unavailable"; readonly reason: string };

export const FORGED: Finding = { kind: "invalid", authentic: false };
export const UNFIT: Finding = { kind: "invalid", authentic: true };
