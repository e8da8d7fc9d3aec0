/** SSL_OP_* (SSL_CTX_set_options(3)): OpenSSL's names for them in commands, and the bits that they stand for. */

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

/** A flag that sets its bits, or one that clears the bit of its opposite. */
type Flag = { readonly sets: readonly number[] } | { readonly clears: number };

/**
 * The names of `Options` commands, without regard to case. Those that set what OpenSSL has long made the only
 * way set nothing.
 */
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

/** Flags that Node leaves as they are; only a wish for the other state is unheard. */
const FIXED: Readonly<Record<string, "on" | "off">> = {
  compression: "off",
  middleboxcompat: "on",
  ktls: "off",
  ktlstxzerocopysendfile: "off",
  strictcertcheck: "off",
};

interface Wish {
  /** As the file has it. */
  readonly given: string;
  /** In small letters. */
  readonly name: string;
  readonly on: boolean;
}

/** Splits `SessionTicket,-MiddleboxCompat`. A name without a sign is on. */
export function wishes(value: string): readonly Wish[] {
  return value.split(",").map((word) => {
    const flag = word.trim();
    const given = flag.replace(/^[+-]/, "");
    return { given, name: given.toLowerCase(), on: !flag.startsWith("-") };
  });
}

/** Carries out an `Options` command. @returns whether OpenSSL knows all of it */
export function setOptions(options: Set<number>, value: string): boolean {
  return wishes(value).every(({ name, on }) => {
    const flag = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined;
    if (flag === undefined) return Object.hasOwn(FIXED, name);
    for (const bit of "sets" in flag ? flag.sets : [flag.clears]) {
      if ("sets" in flag === on) options.add(bit);
      else options.delete(bit);
    }
    return true;
  });
}

/** The flags of an `Options` command that cannot be what it wishes. */
export function fixedOptions(value: string): readonly string[] {
  return wishes(value).flatMap(({ given, name, on }) => {
    const state = Object.hasOwn(FIXED, name) ? FIXED[name] : undefined;
    return state === undefined || (state === "on") === on ? [] : [given];
  });
}
