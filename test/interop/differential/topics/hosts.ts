// Host names of SMTP clients, as Client-Host of lookups and NAME of XCLIENT have them.
import { TRUNCATED_RESPONSE } from "dns-packet";
import { reverseName } from "../../../../proxy/resolver/message.ts";
import { parseIp } from "../../../../shared/address.ts";
import {
  answer,
  type DnsRecord,
  type Entry,
  NXDOMAIN,
  type Say,
  SERVFAIL,
  zone,
} from "../../../support/peers/name-server.ts";
import { base64, on, raw, type Script, smtp, type Topic } from "../script.ts";

/** Answers by `TYPE name`. */
type Names = Readonly<Record<string, Entry>>;

/** The DNS records of the client's address and of names. */
type Zone = { readonly ptr: Entry; readonly names: Names };

/** @param host a name that only this client has */
type MakeZone = (host: string, client: string) => Zone;

const ptr = (...names: readonly string[]): readonly DnsRecord[] =>
  names.map((data) => ({ type: "PTR", data }));
const a = (...ips: readonly string[]): readonly DnsRecord[] =>
  ips.map((data) => ({ type: "A", data }));
const alias = (data: string): DnsRecord => ({ type: "CNAME", data });

/** A and AAAA records of a name; no AAAA by default. */
function addresses(name: string, four: Entry, six: Entry = []): Names {
  return { [`A ${name}`]: four, [`AAAA ${name}`]: six };
}

/** The PTR record is right; the name has these addresses. */
function withAddresses(four: (client: string, host: string) => Entry, six?: Entry): MakeZone {
  return (host, client) => ({ ptr: ptr(host), names: addresses(host, four(client, host), six) });
}

/** The addresses are right; the PTR query has this answer. */
function withPtr(answerOf: (host: string) => Entry): MakeZone {
  return (host, client) => ({ ptr: answerOf(host), names: addresses(host, a(client)) });
}

const DELEGATED = "9.128-25.2.0.192.in-addr.arpa";
const OTHER = "other.example.test";

const overTcp =
  (records: readonly DnsRecord[]): Say =>
  (query) => [answer(query, records, query.over === "udp" ? TRUNCATED_RESPONSE : 0)];

const right = withAddresses((client) => a(client));

const overIpv4: Readonly<Record<string, MakeZone>> = {
  "a name with the address of the client": right,
  "a name in capitals": withPtr((host) => ptr(host.toUpperCase())),
  "a name with another address": withAddresses(() => a("192.0.2.200")),
  "a name with several addresses": withAddresses((client) =>
    a("192.0.2.200", client, "192.0.2.201"),
  ),
  "two names": withPtr((host) => ptr(host, OTHER)),
  "two names, the first with another address": withPtr((host) => ptr(OTHER, host)),
  "no name": withPtr(() => NXDOMAIN),
  "no PTR record": withPtr(() => []),
  "a name that fails to resolve": withPtr(() => SERVFAIL),
  "a name that is refused": withPtr(() => 5),
  "a name behind an alias": withPtr((host) => [
    alias(DELEGATED),
    { type: "PTR", data: host, name: DELEGATED },
  ]),
  "an empty name": withPtr(() => ptr(".")),
  "a name that does not exist": withAddresses(() => NXDOMAIN, NXDOMAIN),
  "a name without addresses": withAddresses(() => []),
  "a name whose addresses fail to resolve": withAddresses(() => SERVFAIL, SERVFAIL),
  "a name whose IPv6 addresses fail to resolve": withAddresses((client) => a(client), SERVFAIL),
  "a name that does not exist for IPv6": withAddresses((client) => a(client), NXDOMAIN),
  "a name whose addresses do not fit a datagram": withAddresses((client) => overTcp(a(client))),
  "a name with an address behind an alias": withAddresses((client) => [
    alias(OTHER),
    { type: "A", data: client, name: OTHER },
  ]),
  "a name that is only an alias": (host, client) => ({
    ptr: ptr(host),
    names: {
      ...addresses(host, [alias(`www.${host}`)], [alias(`www.${host}`)]),
      ...addresses(`www.${host}`, a(client)),
    },
  }),
  "a name that is an alias of itself": (host) => ({
    ptr: ptr(host),
    names: addresses(host, [alias(host)], [alias(host)]),
  }),
  "a name with an underscore": (host, client) => ({
    ptr: ptr(`a_${host}`),
    names: addresses(`a_${host}`, a(client)),
  }),
  "a name with a blank": (host, client) => ({
    ptr: ptr(`a ${host}`),
    names: addresses(`a ${host}`, a(client)),
  }),
};

/** The proxies wait for these until resolver_timeout. */
const unanswered: Readonly<Record<string, MakeZone>> = {
  "a name whose PTR query gets no answer": withPtr(() => "silence"),
  "a query that is answered with FORMERR": withPtr(() => 1),
  "an answer with another id": withPtr((host) => ({ id, ...query }) => [
    answer({ ...query, id: id ^ 1 }, ptr(host)),
  ]),
  "an answer to another question": withPtr((host) => (query) => [
    answer({ ...query, name: "9.9.9.9.in-addr.arpa" }, ptr(host)),
  ]),
  "an alias without a name": withPtr(() => [alias(DELEGATED)]),
  "a name whose addresses get no answer": withAddresses(() => "silence", "silence"),
  "a name whose IPv6 addresses get no answer": withAddresses((client) => a(client), "silence"),
};

const overIpv6: Readonly<Record<string, MakeZone>> = {
  "a name with the address of the client": (host, client) => ({
    ptr: ptr(host),
    names: addresses(host, [], [{ type: "AAAA", data: client }]),
  }),
  "a name with another address": withAddresses(() => a("192.0.2.200")),
  "no name": withPtr(() => NXDOMAIN),
};

type Case = {
  readonly name: string;
  readonly client: string;
  readonly zone: Zone;
  readonly directives: string;
};

const RESOLVER = "set_real_ip_from 127.0.0.0/8; resolver NAME_SERVER;";
const IMPATIENT = `${RESOLVER} resolver_timeout 1s;`;

const cases: readonly Case[] = [
  ...Object.entries({ ...overIpv4, ...unanswered }).map(([name, make], index): Case => {
    const client = `192.0.2.${index + 1}`;
    const directives = name in unanswered ? IMPATIENT : RESOLVER;
    return { name, client, zone: make(`four${index + 1}.example.test`, client), directives };
  }),
  ...Object.entries(overIpv6).map(([name, make], index): Case => {
    const client = `2001:db8::${index + 1}`;
    return {
      name: `${name}, over IPv6`,
      client,
      zone: make(`six${index + 1}.example.test`, client),
      directives: RESOLVER,
    };
  }),
];

/** The zone of the name server behind both proxies. */
export const records = zone(
  Object.fromEntries(
    cases.flatMap(({ client, zone: { ptr: entry, names } }) => [
      [`PTR ${reverseName(parseIp(client)!)}`, entry],
      ...Object.entries(names),
    ]),
  ),
);

const EHLO = "EHLO client.example.test";
const AUTH = `AUTH PLAIN ${base64("\0anna\0secret")}`;

/** The PROXY header of a load balancer. */
function header(client: string): string {
  return client.includes(":")
    ? `PROXY TCP6 ${client} ::ffff:CLIENT 51234 25\r\n`
    : `PROXY TCP4 ${client} CLIENT 51234 25\r\n`;
}

const balanced = { listen: "proxy_protocol" } as const;

const zones: readonly Script[] = cases.flatMap(({ name, client, directives }) =>
  on(smtp(directives, balanced), { [name]: [EHLO, AUTH] }, { first: header(client) }),
);

const good = { first: header("192.0.2.1") };
/** A client whose greeting is late, since the query for its name gets no answer. */
const slow = header(
  cases.find(({ name }) => name === "a name whose PTR query gets no answer")!.client,
);
const more: readonly Script[] = [
  ...on(smtp("resolver NAME_SERVER;"), { "a client without a balancer": [EHLO, AUTH] }),
  ...on(
    smtp(`${RESOLVER} starttls on;`, { listen: "ssl proxy_protocol" }),
    { "a name with the address of the client, under TLS": [EHLO, AUTH] },
    good,
  ),
  ...on(
    smtp(`${RESOLVER} smtp_auth none;`, balanced),
    { "mail without a login": [EHLO, "MAIL FROM:<a@example.test>", "RCPT TO:<b@example.test>"] },
    good,
  ),
  ...on(smtp(`${RESOLVER} xclient off;`, balanced), { "an upstream that is not told": AUTH }, good),
  ...on(
    smtp(`${IMPATIENT} smtp_greeting_delay 1s;`, balanced),
    { "a client that does not wait for its greeting": [] },
    { first: `${slow}NOOP\r\n`, leavesSilently: true },
  ),
  ...on(
    smtp(IMPATIENT, balanced),
    { "commands that come before the greeting": [raw("", 1), AUTH] },
    { first: `${slow}NOOP\r\n` },
  ),
  ...on(
    smtp(RESOLVER, balanced),
    { "an IPv4 address that is written as IPv6": [EHLO, AUTH] },
    { first: header("::ffff:192.0.2.1") },
  ),
];

export const hostTopics: readonly Topic[] = [
  { name: "Names of clients", scripts: [...zones, ...more] },
];
