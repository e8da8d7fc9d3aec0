/** The texts with which each protocol refuses a client. */
import type { ProtocolName } from "../../shared/lookup.ts";

export interface RefusalMessage {
  readonly text: string;
  /** SMTP's reply code and enhanced status code. In other protocols the text has a response code. */
  readonly code?: string;
}

interface ProtocolMessages {
  readonly "wrong-credentials": RefusalMessage;
  /** The same text as for wrong credentials, so that the reply does not reveal which users exist. */
  readonly "not-enabled": RefusalMessage;
  readonly "not-admitted": RefusalMessage;
  readonly blocked: RefusalMessage;
  readonly unavailable: RefusalMessage;
}

const WRONG = "Invalid login or password";
const NOT_ADMITTED = "Not from this network";
const BLOCKED = "Too many failed logins, please try again later";
const UNAVAILABLE = "Temporary failure, please try again later";

/** Response codes: IMAP's of RFC 5530, POP3's of RFC 2449 and 3206, SMTP's of RFC 4954. */
export const MESSAGES: Record<ProtocolName, ProtocolMessages> = {
  imap: {
    "wrong-credentials": { text: `[AUTHENTICATIONFAILED] ${WRONG}` },
    "not-enabled": { text: `[AUTHENTICATIONFAILED] ${WRONG}` },
    "not-admitted": { text: `[AUTHORIZATIONFAILED] ${NOT_ADMITTED}` },
    blocked: { text: `[UNAVAILABLE] ${BLOCKED}` },
    unavailable: { text: `[UNAVAILABLE] ${UNAVAILABLE}` },
  },
  pop3: {
    "wrong-credentials": { text: `[AUTH] ${WRONG}` },
    "not-enabled": { text: `[AUTH] ${WRONG}` },
    "not-admitted": { text: `[AUTH] ${NOT_ADMITTED}` },
    blocked: { text: `[SYS/TEMP] ${BLOCKED}` },
    unavailable: { text: `[SYS/TEMP] ${UNAVAILABLE}` },
  },
  smtp: {
    "wrong-credentials": { text: WRONG, code: "535 5.7.8" },
    "not-enabled": { text: WRONG, code: "535 5.7.8" },
    "not-admitted": { text: NOT_ADMITTED, code: "550 5.7.1" },
    blocked: { text: BLOCKED, code: "454 4.7.0" },
    unavailable: { text: UNAVAILABLE, code: "454 4.7.0" },
  },
};

/** Refuses a recipient to a client without a login (RFC 3463 sections 3.2 and 3.8). */
export const RECIPIENT_MESSAGES = {
  "unknown-user": { text: "No such user here", code: "550 5.1.1" },
  "unknown-domain": { text: "Relay access denied", code: "550 5.7.1" },
} as const satisfies Record<string, RefusalMessage>;
