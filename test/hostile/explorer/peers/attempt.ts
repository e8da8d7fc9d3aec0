/** The attempts to log in that clients make, and what lookup endpoint and upstreams have said about each. */

export interface Attempt {
  readonly number: number;
  readonly method: "plain" | "cram-md5" | "xoauth2" | "none";
  /** The login that is typed; empty for a recipient without a login. */
  readonly login: string;
  /** Password, token or digest; empty for a recipient. */
  readonly secret: string;
  /** True where the client said it in the clear. */
  clear: boolean;
  /** Bytes that the client has sent up to the end of the attempt. */
  end: number;
  /** The waits, in seconds, of the lookups that have refused the account. Attempts with the same account share them. */
  readonly refusals: Set<number>;
}

/** An account that a lookup has let through: the login and the secret that an upstream may be sent. */
export type Grant = `${string}\n${string}`;

export function grantOf(login: string, secret: string): Grant {
  return `${login}\n${secret}`;
}

export function base64(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}

export function fromBase64(text: string): string {
  return Buffer.from(text, "base64").toString("latin1");
}

/** A secret that no other text contains. */
export function newAttempt(method: Attempt["method"], number: number): Attempt {
  return {
    number,
    method,
    login: method === "none" ? "" : `user${number}`,
    secret: secretOf(method, number),
    clear: true,
    end: 0,
    refusals: new Set(),
  };
}

function secretOf(method: Attempt["method"], number: number): string {
  switch (method) {
    case "none":
      return "";
    case "cram-md5":
      return `${String(number).padStart(28, "0")}feed`;
    case "plain":
    case "xoauth2":
      return `pw-${number}-x`;
  }
}
