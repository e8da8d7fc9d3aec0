/** SSL_OP_* (SSL_CTX_set_options(3)): their bits, and their names in `Options` commands. */

/** Bits, by number. */
export const BIT = {
  NO_EXTENDED_MASTER_SECRET: 0,
  LEGACY_SERVER_CONNECT: 2,
  IGNORE_UNEXPECTED_EOF: 7,
  ALLOW_CLIENT_RENEGOTIATION: 8,
  DISABLE_TLSEXT_CA_NAMES: 9,
  ALLOW_NO_DHE_KEX: 10,
  DONT_INSERT_EMPTY_FRAGMENTS: 11,
  NO_TICKET: 14,
  NO_SESSION_RESUMPTION_ON_RENEGOTIATION: 16,
  ALLOW_UNSAFE_LEGACY_RENEGOTIATION: 18,
  NO_ENCRYPT_THEN_MAC: 19,
  PRIORITIZE_CHACHA: 21,
  CIPHER_SERVER_PREFERENCE: 22,
  NO_ANTI_REPLAY: 24,
  NO_TLSv1: 26,
  NO_TLSv1_2: 27,
  NO_TLSv1_1: 28,
  NO_TLSv1_3: 29,
  NO_RENEGOTIATION: 30,
  NO_TX_CERTIFICATE_COMPRESSION: 32,
  NO_RX_CERTIFICATE_COMPRESSION: 33,
  PREFER_NO_DHE_KEX: 35,
} as const;

/** A flag sets its bits, or clears the bit of its opposite. */
type Flag = { readonly sets: readonly number[] } | { readonly clears: number };

/** By name in lower case. A flag for behaviour that OpenSSL can no longer change sets nothing. */
const FLAGS: Readonly<Record<string, Flag>> = {
  sessionticket: { clears: BIT.NO_TICKET },
  emptyfragments: { clears: BIT.DONT_INSERT_EMPTY_FRAGMENTS },
  bugs: { sets: [4, 6, BIT.DONT_INSERT_EMPTY_FRAGMENTS, 31] },
  serverpreference: { sets: [BIT.CIPHER_SERVER_PREFERENCE] },
  noresumptiononrenegotiation: { sets: [BIT.NO_SESSION_RESUMPTION_ON_RENEGOTIATION] },
  dhsingle: { sets: [] },
  ecdhsingle: { sets: [] },
  unsafelegacyrenegotiation: { sets: [BIT.ALLOW_UNSAFE_LEGACY_RENEGOTIATION] },
  unsafelegacyserverconnect: { sets: [BIT.LEGACY_SERVER_CONNECT] },
  clientrenegotiation: { sets: [BIT.ALLOW_CLIENT_RENEGOTIATION] },
  encryptthenmac: { clears: BIT.NO_ENCRYPT_THEN_MAC },
  norenegotiation: { sets: [BIT.NO_RENEGOTIATION] },
  allownodhekex: { sets: [BIT.ALLOW_NO_DHE_KEX] },
  prefernodhekex: { sets: [BIT.PREFER_NO_DHE_KEX] },
  prioritizechacha: { sets: [BIT.PRIORITIZE_CHACHA] },
  antireplay: { clears: BIT.NO_ANTI_REPLAY },
  extendedmastersecret: { clears: BIT.NO_EXTENDED_MASTER_SECRET },
  canames: { clears: BIT.DISABLE_TLSEXT_CA_NAMES },
  txcertificatecompression: { clears: BIT.NO_TX_CERTIFICATE_COMPRESSION },
  rxcertificatecompression: { clears: BIT.NO_RX_CERTIFICATE_COMPRESSION },
  ignoreunexpectedeof: { sets: [BIT.IGNORE_UNEXPECTED_EOF] },
};

/** Flags that Node does not change, with their state. Only the wish for the other state has no effect. */
const FIXED: Readonly<Record<string, "on" | "off">> = {
  compression: "off",
  middleboxcompat: "on",
  ktls: "off",
  ktlstxzerocopysendfile: "off",
  strictcertcheck: "off",
};

interface FlagState {
  /** As the command spells it. */
  readonly name: string;
  readonly on: boolean;
}

/** `SessionTicket,-MiddleboxCompat`: a flag without a sign is on. */
export function parseFlags(value: string): readonly FlagState[] {
  return value.split(",").map((word) => {
    const flag = word.trim();
    return { name: flag.replace(/^[+-]/, ""), on: !flag.startsWith("-") };
  });
}

/** Carries out an `Options` command. @returns false where OpenSSL does not know one of its flags */
export function setBits(bits: Set<number>, value: string): boolean {
  return parseFlags(value).every(({ name, on }) => {
    const key = name.toLowerCase();
    const flag = Object.hasOwn(FLAGS, key) ? FLAGS[key] : undefined;
    if (flag === undefined) return Object.hasOwn(FIXED, key);
    for (const bit of "sets" in flag ? flag.sets : [flag.clears]) {
      if ("sets" in flag === on) bits.add(bit);
      else bits.delete(bit);
    }
    return true;
  });
}

/** The flags of an `Options` command that ask for a state that Node cannot set. */
export function unsupportedFlags(value: string): readonly string[] {
  return parseFlags(value).flatMap(({ name, on }) => {
    const key = name.toLowerCase();
    const state = Object.hasOwn(FIXED, key) ? FIXED[key] : undefined;
    return state === undefined || (state === "on") === on ? [] : [name];
  });
}
