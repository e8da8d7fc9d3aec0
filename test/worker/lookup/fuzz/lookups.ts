// Generates lookups: right ones, and right ones with changes.
import fc from "fast-check";
import { type ByteString, escapeValue } from "../../../../shared/lookup.ts";
import type { RawRequest } from "../../../support/http/raw-http-client.ts";
import { ALICE, CANARY, DIGESTS, KEY, PEOPLE } from "./people.ts";

export interface GeneratedLookup extends RawRequest {
  /** True if no change alters the lookup's meaning, so that the reply must name a server. */
  readonly right: boolean;
}

type Change = (request: RawRequest) => RawRequest;

/** The client address of right logins only. It becomes a known network. */
const HOME = "192.0.2.1";

/**
 * The client addresses of the other lookups. Each wrong password costs 80 ms, so these networks are soon blocked. Then
 * their lookups are malformed or get a temporary failure.
 */
const ELSEWHERE = ["198.51.100.1", "198.51.100.2", "2001:db8:1::1"];

const person = fc.constantFrom(...PEOPLE);
const protocol = fc.constantFrom("imap", "pop3", "smtp");
const key = ["X-Auth-Key", KEY] as const;

const login = fc.tuple(person, protocol).map(([{ address, password }, name]): RawRequest => ({
  method: "GET",
  target: "/auth",
  fields: [
    key,
    ["Auth-Method", "plain"],
    ["Auth-User", address],
    ["Auth-Pass", escapeValue(password, true)],
    ["Auth-Protocol", name],
    ["Auth-Login-Attempt", "1"],
    ["Client-IP", HOME],
  ],
}));

const SALT = "<1896.697170952@mail.example.test>";

/** Alice's logins with digests and with a certificate. */
const otherLogin = fc
  .tuple(fc.constantFrom("apop", "cram-md5", "external"), protocol)
  .map(([name, protocolName]): RawRequest => ({
    method: "GET",
    target: "/auth",
    fields: [
      key,
      ["Auth-Method", name],
      ["Auth-User", ALICE.address],
      ["Auth-Pass", DIGESTS[name]?.(SALT) ?? ""],
      ["Auth-Salt", SALT],
      ["Auth-Protocol", protocolName],
      ["Auth-SSL", "on"],
      ["Auth-SSL-Verify", name === "external" ? "SUCCESS" : "NONE"],
      ["Auth-SSL-Subject", name === "external" ? ALICE.subject : ""],
      ["Auth-SSL-Issuer", name === "external" ? ALICE.issuer : ""],
      ["Client-IP", HOME],
    ],
  }));

const addressee = fc.oneof(
  person.map(({ address }) => address),
  fc.constantFrom("nobody@example.test", "any@open.test", "any@closed.test", "any@else.test", "@"),
);

const delivery = fc
  .tuple(addressee, protocol, fc.constantFrom("<", "", "<@relay.test:", "<<", '<"a b"'))
  .map(([address, name, opening]): RawRequest => ({
    method: "GET",
    target: "/auth",
    fields: [
      key,
      ["Auth-Method", "none"],
      ["Auth-User", ""],
      ["Auth-Pass", ""],
      ["Auth-Protocol", name],
      ["Auth-SMTP-To", `RCPT TO:${opening}${address}>`],
      ["Client-IP", HOME],
    ],
  }));

/** All bytes but CR and LF, which would begin another header. */
const bytes = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 })
  .map((codes) => String.fromCharCode(...codes).replaceAll(/[\r\n]/g, ""));

const nonsense: fc.Arbitrary<ByteString> = fc.oneof(
  { weight: 3, arbitrary: bytes },
  fc.string({ unit: "binary", maxLength: 20 }).map((text) => utf8(text.replaceAll(/[\r\n]/g, ""))),
  fc.constantFrom(
    "",
    ",",
    "constructor",
    "__proto__",
    "null",
    "-1",
    "1e9",
    "%",
    "%2",
    "%zz",
    "%00",
    "%0D%0AAuth-Status: OK",
    "\xff\xfe",
    "\xc0\xaf",
    "\xed\xa0\x80",
    "\xef\xbb\xbf",
    "${jndi:ldap://127.0.0.1/a}",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "' or '1'='1",
    "x'; drop table users; --",
    "{PLAIN}x",
    "A".repeat(65_536),
    "%41".repeat(21_845),
    "\xe4".repeat(65_536),
  ),
);

/** Characters that look like these letters, and make another name. */
const LOOK_ALIKES: Readonly<Record<string, readonly string[]>> = {
  a: ["а", "ａ", "á", "a\u0301", "ɑ", "a\u200b"],
  c: ["с", "ｃ", "ⅽ"],
  e: ["е", "ｅ", "e\u0301"],
  i: ["ı", "ｉ", "і", "ⅰ", "\u0130"],
  l: ["ｌ", "I\u0307", "ⅼ", "1"],
  m: ["ｍ", "rn"],
  o: ["о", "ｏ", "0", "ο"],
  r: ["ｒ", "г"],
};

const lookAlike = fc.tuple(person, fc.nat(), fc.nat()).map(([{ address }, at, which]) => {
  const [local = "", domain] = address.split("@");
  const letters = [...local];
  const places = letters.flatMap((letter, index) => (letter in LOOK_ALIKES ? [index] : []));
  const place = places[at % places.length]!;
  const others = LOOK_ALIKES[letters[place]!]!;
  letters[place] = others[which % others.length]!;
  return utf8([letters.join(""), domain].filter((part) => part !== undefined).join("@"));
});

const nearlyAddress = fc
  .tuple(
    person,
    fc.constantFrom("%20", "%00", "\0", "'--", "%", "*", "@example.test", ".", "%E2%80%8B"),
  )
  .map(([{ address }, end]) => `${address}${end}`);

const wrongPassword = fc.tuple(person, fc.nat({ max: 5 })).map(([{ password }, way]) => {
  const right = escapeValue(password, true);
  return [
    right.slice(0, -1),
    `${right}%20`,
    `${right}%00`,
    right.toUpperCase(),
    escapeValue(right, true),
    `${CANARY}-${right}`,
  ][way]!;
});

const HEADERS = [
  "X-Auth-Key",
  "Auth-Method",
  "Auth-User",
  "Auth-Pass",
  "Auth-Protocol",
  "Auth-Login-Attempt",
  "Client-IP",
  "Auth-SMTP-To",
  "Auth-Salt",
  "Auth-SSL-Verify",
  "Auth-SSL-Subject",
  "Auth-SSL-Issuer",
];
/** Headers that do not matter for a login with a password. */
const IRRELEVANT = [
  "Auth-Accept",
  "Auth-Salt",
  "Auth-SMTP-Helo",
  "Auth-SMTP-From",
  "Client-Host",
  "Auth-SSL",
  "Auth-SSL-Verify",
  "Auth-SSL-Subject",
  "Auth-SSL-Issuer",
  "Auth-SSL-Fingerprint",
  "Traceparent",
  "Cookie",
  "Authorization",
  "If-None-Match",
  "__proto__",
];

const method = fc.constantFrom(
  "POST",
  "PUT",
  "DELETE",
  "OPTIONS",
  "PATCH",
  "TRACE",
  "PROPFIND",
  "HEAD",
  "BREW",
  "get",
);
const target = fc.constantFrom(
  "/",
  "/auth/",
  "//auth",
  "/AUTH",
  "/auth%00",
  "/%2e%2e/auth",
  "/auth%zz",
  "/a\xff",
  "/auth?Auth-User=alice@example.test",
  "/cgi-bin/nginxauth.cgi",
  "/healthz",
  "/favicon.ico",
  "/admin/api/users",
  "/admin/api/",
  "/admin/api/users/alice@example.test",
);
const scheme = fc.constantFrom(
  "apop",
  "cram-md5",
  "external",
  "xoauth2",
  "oauthbearer",
  "none",
  "PLAIN",
  "login",
  "ntlm",
);
const client = fc.constantFrom(
  "",
  "unix:",
  "256.1.1.1",
  "0x7f.1",
  "127.1",
  "::ffff:198.51.100.1",
  "fe80::1%eth0",
  "::/0",
  "192.0.2.1, 192.0.2.1",
  "192.0.2.1'--",
  "1".repeat(65_536),
);

const anyHeader = fc.constantFrom(...HEADERS);

const harmless: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.constantFrom(...IRRELEVANT), nonsense.map(withoutNul)).map(put),
  fc
    .constantFrom("hostname", "tls", "fallback", "hostname,tls,fallback", "tls , ,,hostname")
    .map((words) => put(["Auth-Accept", words])),
  fc.constant((request: RawRequest) => ({
    ...request,
    fields: request.fields.map(([name, value]) => [name.toUpperCase(), `\t ${value}`] as const),
  })),
  fc.constant((request: RawRequest) => ({ ...request, target: "/cgi-bin/nginxauth.cgi" })),
);

const hostile: fc.Arbitrary<Change> = fc.oneof(
  anyHeader.map(without),
  anyHeader.map(doubled),
  fc.tuple(anyHeader, nonsense).map(put),
  fc.tuple(anyHeader, nonsense).map(appended),
  fc.tuple(fc.constantFrom(...IRRELEVANT), nonsense).map(put),
  method.map((word) => (request: RawRequest) => ({ ...request, method: word })),
  target.map((path) => (request: RawRequest) => ({ ...request, target: path })),
  scheme.map((word) => put(["Auth-Method", word])),
  client.map((text) => put(["Client-IP", text])),
  fc.oneof(lookAlike, nearlyAddress).map((name) => put(["Auth-User", name])),
  wrongPassword.map((password) => put(["Auth-Pass", password])),
);

const generated: fc.Arbitrary<GeneratedLookup> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(login, fc.array(harmless, { maxLength: 3 }))
      .map(([request, changes]): GeneratedLookup => ({
        ...changed(request, changes),
        right: true,
      })),
  },
  {
    weight: 1,
    arbitrary: otherLogin.map((request): GeneratedLookup => ({ ...request, right: true })),
  },
  {
    weight: 7,
    arbitrary: fc
      .tuple(
        fc.oneof({ weight: 3, arbitrary: login }, otherLogin, delivery),
        fc.constantFrom(...ELSEWHERE),
        fc.array(hostile, { minLength: 1, maxLength: 3 }),
      )
      .map(([request, from, changes]): GeneratedLookup => {
        const moved = put(["Client-IP", from])(request);
        return { ...changed(moved, changes), right: false };
      }),
  },
);

/** Bytes of headers. At 128 KiB the platform closes the connection, often before its reply has been read. */
const MAX_HEADER_BYTES = 100_000;

export const lookups = generated.filter(
  ({ fields }) =>
    fields.reduce((sum, field) => sum + field.join(": ").length, 0) < MAX_HEADER_BYTES,
);

function changed(request: RawRequest, changes: readonly Change[]): RawRequest {
  return changes.reduce((before, change) => change(before), request);
}

function without(header: string): Change {
  return (request) => ({
    ...request,
    fields: request.fields.filter(([name]) => name !== header),
  });
}

function put([header, value]: readonly [string, string]): Change {
  return (request) => {
    const { fields } = without(header)(request);
    return { ...request, fields: [...fields, [header, value]] };
  };
}

function doubled(header: string): Change {
  return (request) => ({
    ...request,
    fields: [...request.fields, ...request.fields.filter(([name]) => name === header)],
  });
}

function appended([header, end]: readonly [string, string]): Change {
  return (request) => ({
    ...request,
    fields: request.fields.map(([name, value]) => [name, name === header ? value + end : value]),
  });
}

/** Removes NUL. The platform itself refuses a header with NUL. */
function withoutNul(value: string): string {
  return value.replaceAll("\0", "");
}

function utf8(text: string): ByteString {
  return Buffer.from(text).toString("latin1");
}
