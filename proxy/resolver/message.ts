/** Encodes questions and decodes responses (RFC 1035 section 4). */
import {
  type DecodedPacket,
  RECURSION_DESIRED,
  type Answer as ResourceRecord,
  TRUNCATED_RESPONSE,
  decode,
  encode,
} from "dns-packet";
import { type Ip, parseIp } from "../../shared/address.ts";
import { NXDOMAIN } from "./resolve-error.ts";

export type QuestionType = "A" | "AAAA" | "PTR";

export interface Question {
  /** 16 bits that the response must repeat. */
  readonly id: number;
  readonly type: QuestionType;
  /** In small letters, without a dot at the end. */
  readonly name: string;
}

/** The useful part of a response. */
export interface DnsResponse {
  /** The response code (RFC 1035 section 4.1.1); 0 also where the name has no record of the type. */
  readonly code: number;
  /** Names or addresses, by the type of the question. */
  readonly values: readonly string[];
  /** The name that this one is an alias of (CNAME), or null. */
  readonly alias: string | null;
  /** Seconds. */
  readonly ttl: number;
}

/** The answer did not fit the datagram. The question must be asked over TCP. */
export const TRUNCATED = "truncated";

/** The response for a name that does not exist. */
export const NOT_FOUND: DnsResponse = { code: NXDOMAIN, values: [], alias: null, ttl: 0 };

const FORMERR = 1;
const REFUSED = 5;

/** Bytes of the header (RFC 1035 section 4.1.1), and the places of two counts of records in it. */
const HEADER = 12;
const ANCOUNT = 6;
const NSCOUNT = 8;
/** The flags for the kind of message (QR and OPCODE), and their value in a response to a query. */
const KIND = 0xf800;
const RESPONSE = 0x8000;

/** Seconds. */
const LONGEST_TTL = 0x7fff_ffff;

/** True for a name that a question can hold: labels of 1 to 63 bytes, 253 in all (RFC 1035 section 2.3.4). */
export function isAskable(name: string): boolean {
  return name.length <= 253 && name.split(".").every((label) => /^[!-~]{1,63}$/.test(label));
}

/** The name whose PTR records name an address (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseName(address: Ip): string {
  const bytes = address.toByteArray().toReversed();
  if (address.kind() === "ipv4") return `${bytes.join(".")}.in-addr.arpa`;
  const digits = bytes.flatMap((byte) => [byte & 0xf, byte >> 4]);
  return `${digits.map((digit) => digit.toString(16)).join(".")}.ip6.arpa`;
}

/** @param name askable */
export function encodeQuestion({ id, type, name }: Question): Uint8Array {
  return encode({ type: "query", id, flags: RECURSION_DESIRED, questions: [{ type, name }] });
}

/**
 * @returns null for bytes that nginx would ignore as well: a usable response may still come
 */
export function decodeResponse(
  bytes: Uint8Array,
  question: Question,
): DnsResponse | typeof TRUNCATED | null {
  if (bytes.length < HEADER) return null;
  const message = Buffer.from(bytes);
  const flags = message.readUInt16BE(2);
  if ((flags & KIND) !== RESPONSE) return null;
  const truncated = (flags & TRUNCATED_RESPONSE) !== 0;
  // Counts of zero keep the decoder from records that are not used.
  message.fill(0, truncated ? ANCOUNT : NSCOUNT, HEADER);
  const packet = decoded(message);
  if (packet === null || !repeats(packet, question)) return null;
  if (truncated) return TRUNCATED;

  const code = flags & 0xf;
  if (code === FORMERR || code > REFUSED) return null;
  const { answers = [] } = packet;
  if (code !== 0 || answers.length === 0) return { ...NOT_FOUND, code };
  return readRecords(answers, question.type);
}

function decoded(message: Buffer): DecodedPacket | null {
  try {
    const packet = decode(message);
    // The decoder reads an address beyond the end of the message.
    return decode.bytes > message.length ? null : packet;
  } catch {
    return null;
  }
}

function repeats(packet: DecodedPacket, { id, type, name }: Question): boolean {
  const [asked, ...more] = packet.questions ?? [];
  return (
    packet.id === id &&
    more.length === 0 &&
    asked?.type === type &&
    asked.class === "IN" &&
    asked.name.toLowerCase() === name
  );
}

/** Takes the records of any name, as nginx does: a server sends no records of other names. */
function readRecords(records: readonly ResourceRecord[], type: QuestionType): DnsResponse | null {
  const values: string[] = [];
  let alias: string | null = null;
  let ttl = LONGEST_TTL;
  for (const record of records) {
    if (record.type === "OPT" || record.class !== "IN") return null;
    ttl = Math.min(ttl, seconds(record.ttl));
    if (record.type === "CNAME") alias = record.data.toLowerCase();
    if (record.type !== type) continue;
    const value = type === "PTR" ? hostName(record.data) : parseIp(record.data)?.toString();
    if (value === undefined) return null;
    values.push(value);
  }
  // nginx follows the alias of a name, but not that of an address.
  const usable = values.length > 0 || (alias !== null && type !== "PTR");
  return usable ? { code: 0, values, alias, ttl } : null;
}

function hostName(name: string): string {
  return name === "." ? "" : name.toLowerCase();
}

/** A TTL with the highest bit set counts as 0 (RFC 2181 section 8). */
function seconds(ttl = 0): number {
  return ttl > LONGEST_TTL ? 0 : ttl;
}
