/** The words by which each protocol tells a client no. */
import type { ProtocolName } from "../../shared/lookup.ts";

export interface Words {
  readonly text: string;
  /** SMTP's reply code and enhanced status code; elsewhere the text has a response code. */
  readonly code?: string;
}

interface Vocabulary {
  readonly "wrong-credentials": Words;
  readonly "no-login": Words;
  readonly unavailable: Words;
}

const WRONG = "Invalid login or password";
const NO_LOGIN = "Authentication required";
const UNAVAILABLE = "Temporary failure, please try again later";

/** Response codes: IMAP's of RFC 5530, POP3's of RFC 2449 and 3206, SMTP's of RFC 4954. */
export const WORDS: Record<ProtocolName, Vocabulary> = {
  imap: {
    "wrong-credentials": { text: `[AUTHENTICATIONFAILED] ${WRONG}` },
    "no-login": { text: `[AUTHENTICATIONFAILED] ${NO_LOGIN}` },
    unavailable: { text: `[UNAVAILABLE] ${UNAVAILABLE}` },
  },
  pop3: {
    "wrong-credentials": { text: `[AUTH] ${WRONG}` },
    "no-login": { text: `[AUTH] ${NO_LOGIN}` },
    unavailable: { text: `[SYS/TEMP] ${UNAVAILABLE}` },
  },
  smtp: {
    "wrong-credentials": { text: WRONG, code: "535 5.7.8" },
    "no-login": { text: NO_LOGIN, code: "530 5.7.0" },
    unavailable: { text: UNAVAILABLE, code: "454 4.7.0" },
  },
};
