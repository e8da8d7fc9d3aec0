/** The words by which each protocol tells a client no. */
import type { ProtocolName } from "../../shared/lookup.ts";

export interface Words {
  readonly text: string;
  /** SMTP's reply code and enhanced status code; elsewhere the text has a response code. */
  readonly code?: string;
}

interface Vocabulary {
  readonly "wrong-credentials": Words;
  /** The same words: nobody is told which users there are. */
  readonly "not-enabled": Words;
  readonly "not-admitted": Words;
  readonly blocked: Words;
  readonly unavailable: Words;
}

const WRONG = "Invalid login or password";
const NOT_ADMITTED = "Not from this network";
const BLOCKED = "Too many failed logins, please try again later";
const UNAVAILABLE = "Temporary failure, please try again later";

/** Response codes: IMAP's of RFC 5530, POP3's of RFC 2449 and 3206, SMTP's of RFC 4954. */
export const WORDS: Record<ProtocolName, Vocabulary> = {
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

/** To a client that does not log in, of whom it wants to write to (RFC 3463 sections 3.2 and 3.8). */
export const RECIPIENT_WORDS = {
  "unknown-user": { text: "No such user here", code: "550 5.1.1" },
  "unknown-domain": { text: "Relay access denied", code: "550 5.7.1" },
} as const satisfies Record<string, Words>;
