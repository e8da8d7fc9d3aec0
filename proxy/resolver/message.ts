/** DNS messages (RFC 1035 section 4): a question into bytes, and bytes into what they say about it. */
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
  /** 16 bits that the answer must repeat. */
  readonly id: number;
  readonly type: QuestionType;
  /** In small letters, without a dot at the end. */
  readonly name: string;
}

/** What a server said. */
export interface DnsResponse {
  /** The response code (RFC 1035 section 4.1.1); 0 also where the name has nothing of the kind. */
  readonly code: number;
  /** Names or addresses, as the question asked for. */
  readonly values: readonly string[];
  /** Where there are none, the name that this one stands for (CNAME), or null. */
  readonly alias: string | null;
  /** Seconds. */
  readonly ttl: number;
}

/** The answer did not fit, and must be asked for over TCP. */
export const TRUNCATED = "truncated";

/** There is no such name. */
export const NOTHING: DnsResponse = { code: NXDOMAIN, values: [], alias: null, ttl: 0 };

const FORMERR = 1;
const REFUSED = 5;

/** Of the header (RFC 1035 section 4.1.1): its length, and where its counts of records stand. */
const HEADER = 12;
const ANCOUNT = 6;
const NSCOUNT = 8;
/** Of the flags: whether it is an answer, and to what kind of request; this one is to a question. */
const KIND = 0xf800;
const RESPONSE = 0x8000;

/** Seconds. */
const LONGEST_TTL = 0x7fff_ffff;

/** Whether a name can be asked for: labels of 1 to 63 bytes, 253 in all (RFC 1035 section 2.3.4). */
export function isAskable(name: string): boolean {
  return name.length <= 253 && name.split(".").every((label) => /^[!-~]{1,63}$/.test(label));
}

/** The name under which the names of an address stand (RFC 1035 section 3.5, RFC 3596 section 2.5). */
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
 * @returns null for bytes that are no usable answer to the question, as nginx sees it: to be ignored, for a
 *   better one may come
 */
export function decodeAnswer(
  bytes: Uint8Array,
  question: Question,
): DnsResponse | typeof TRUNCATED | null {
  if (bytes.length < HEADER) return null;
  const message = Buffer.from(bytes);
  const flags = message.readUInt16BE(2);
  if ((flags & KIND) !== RESPONSE) return null;
  const truncated = (flags & TRUNCATED_RESPONSE) !== 0;
  // Records that say nothing to us are not even decoded: by their counts, there are none.
  message.fill(0, truncated ? ANCOUNT : NSCOUNT, HEADER);
  const packet = decoded(message);
  if (packet === null || !isAbout(packet, question)) return null;
  if (truncated) return TRUNCATED;

  const code = flags & 0xf;
  if (code === FORMERR || code > REFUSED) return null;
  const { answers = [] } = packet;
  if (code !== 0 || answers.length === 0) return { ...NOTHING, code };
  return said(answers, question.type);
}

function decoded(message: Buffer): DecodedPacket | null {
  try {
    const packet = decode(message);
    // An address is read without a look at where the message ends.
    return decode.bytes > message.length ? null : packet;
  } catch {
    return null;
  }
}

function isAbout(packet: DecodedPacket, { id, type, name }: Question): boolean {
  const [asked, ...more] = packet.questions ?? [];
  return (
    packet.id === id &&
    more.length === 0 &&
    asked?.type === type &&
    asked.class === "IN" &&
    asked.name.toLowerCase() === name
  );
}

/** Whatever the names of the records, as in nginx: a server that was asked for one sends no other's. */
function said(records: readonly ResourceRecord[], type: QuestionType): DnsResponse | null {
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

/** RFC 2181 section 8: with the highest bit set it is 0. */
function seconds(ttl = 0): number {
  return ttl > LONGEST_TTL ? 0 : ttl;
}
