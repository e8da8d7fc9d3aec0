// SASL mechanisms with and without an initial response, valid and broken, enabled and disabled.
import type { ProtocolName } from "../../../../shared/lookup.ts";
import { base64, imap, moves, pop3, type Script, smtp, type Topic, yes } from "../script.ts";

const servers = {
  "all mechanisms": {
    imap: imap("imap_auth plain login cram-md5 external;"),
    pop3: pop3("pop3_auth plain apop cram-md5 external;"),
    smtp: smtp("proxy_smtp_auth on; smtp_auth plain login cram-md5 external none;"),
  },
  "the default mechanisms": {
    imap: imap(),
    pop3: pop3(),
    smtp: smtp("proxy_smtp_auth on;"),
  },
  "CRAM-MD5 only": {
    imap: imap("imap_auth cram-md5;"),
    pop3: pop3("pop3_auth cram-md5;"),
    smtp: smtp("proxy_smtp_auth on; smtp_auth cram-md5;"),
  },
};

type Exchanges = Readonly<Record<string, readonly string[]>>;

const anna = base64("\0anna\0secret");
const digest = "0123456789abcdef0123456789abcdef";

/** AUTH stands for the command of the protocol. */
const common: Exchanges = {
  "PLAIN that waits": ["AUTH PLAIN", anna],
  "PLAIN at once": [`AUTH PLAIN ${anna}`],
  "LOGIN that waits": ["AUTH LOGIN", base64("anna"), base64("secret")],
  "LOGIN with the name at once": [`AUTH LOGIN ${base64("anna")}`, base64("secret")],
  "CRAM-MD5": ["AUTH CRAM-MD5", base64(`anna ${digest}`)],
  "EXTERNAL that waits": ["AUTH EXTERNAL", base64("anna")],
  "EXTERNAL with a name at once": [`AUTH EXTERNAL ${base64("anna")}`],
  "an unknown mechanism": ["AUTH GSSAPI"],
};

const plain: Exchanges = {
  "plain in small letters": [`AUTH plain ${anna}`],
  "Plain in mixed letters, among many spaces": [`AUTH   PlAiN   ${anna}   `],
  "PLAIN with an authorization identity": [`AUTH PLAIN ${base64("boss\0anna\0secret")}`],
  "PLAIN with an empty password": [`AUTH PLAIN ${base64("\0anna\0")}`],
  "PLAIN with an empty login": [`AUTH PLAIN ${base64("\0\0secret")}`],
  "PLAIN with one NUL": [`AUTH PLAIN ${base64("anna\0secret")}`],
  "PLAIN without NULs": [`AUTH PLAIN ${base64("anna secret")}`],
  "PLAIN that is one NUL": [`AUTH PLAIN ${base64("\0")}`],
  "PLAIN that is two NULs": [`AUTH PLAIN ${base64("\0\0")}`],
  "PLAIN with an empty response at once": ["AUTH PLAIN ="],
  "PLAIN with an empty response later": ["AUTH PLAIN", ""],
  "PLAIN without padding": [`AUTH PLAIN ${anna.replace(/=+$/, "")}`],
  "PLAIN with more padding than needed": [`AUTH PLAIN ${anna}====`],
  "PLAIN with rubbish behind its padding": [`AUTH PLAIN ${base64("\0anna\0secre")}=!!`],
  "PLAIN with an illegal character": ["AUTH PLAIN", "AGFu!mEAc2VjcmV0"],
  "PLAIN with an illegal character at once": ["AUTH PLAIN AGFu!mEAc2VjcmV0"],
  "PLAIN with a character too many": ["AUTH PLAIN", "AGFubmEAc2VjcmV0A"],
  "PLAIN in the alphabet of URLs": ["AUTH PLAIN", base64("\0anna\0\xff\xff").replace("/", "_")],
  "PLAIN with eight-bit bytes": ["AUTH PLAIN", base64("\0\xc3\xa4nna\0s\xc3\xa9cret\xff")],
  "PLAIN with spaces and percent signs": ["AUTH PLAIN", base64("\0an na%20\0se%cret ")],
  "PLAIN with control characters": ["AUTH PLAIN", base64("\0an\x01\tna\0se\x1bcret\x0b")],
  "PLAIN with two words": ["AUTH PLAIN", `${anna} more`],
  "PLAIN with three words": ["AUTH PLAIN", `${anna} 2 3`],
  "PLAIN with four words": ["AUTH PLAIN", `${anna} 2 3 4`],
  "PLAIN with eleven words": ["AUTH PLAIN", `${anna} 2 3 4 5 6 7 8 9 10 11`],
  "PLAIN with twelve words": ["AUTH PLAIN", `${anna} 2 3 4 5 6 7 8 9 10 11 12`],
  "PLAIN with spaces before the response": ["AUTH PLAIN", `  ${anna}`],
  "PLAIN with spaces behind the response": ["AUTH PLAIN", `${anna}  `],
  "PLAIN with three words and spaces behind": ["AUTH PLAIN", `${anna} 2 3   `],
  "PLAIN with eleven words and spaces behind": ["AUTH PLAIN", `${anna} 2 3 4 5 6 7 8 9 10 11   `],
  "PLAIN with two initial responses": [`AUTH PLAIN ${anna} ${base64("x")}`],
  "PLAIN, broken, and again": ["AUTH PLAIN", "!", `AUTH PLAIN ${anna}`],
};

const others: Exchanges = {
  "login in small letters": ["AUTH login", base64("anna"), base64("secret")],
  "LOGIN with an empty name": ["AUTH LOGIN", "", base64("secret")],
  "LOGIN with an empty password": ["AUTH LOGIN", base64("anna"), ""],
  "LOGIN with both empty": ["AUTH LOGIN", "", ""],
  "LOGIN with a broken name": ["AUTH LOGIN", "an!a"],
  "LOGIN with a broken name at once": ["AUTH LOGIN an!a"],
  "LOGIN with a broken password": ["AUTH LOGIN", base64("anna"), "se!cret"],
  "LOGIN with name and password at once": [`AUTH LOGIN ${base64("anna")} ${base64("secret")}`],
  "LOGIN in UTF-8": ["AUTH LOGIN", base64("\xc3\xa4nna"), base64("s\xc3\xa9cret")],
  "LOGIN with four words as the password": ["AUTH LOGIN", base64("anna"), "YQ== b c d"],
  "LOGIN after PLAIN was broken": ["AUTH PLAIN !", "AUTH LOGIN", base64("anna"), base64("x")],
  "cram-md5 in small letters": ["AUTH cram-md5", base64(`anna ${digest}`)],
  "CRAM-MD5 with an initial response": [`AUTH CRAM-MD5 ${base64(`anna ${digest}`)}`],
  "CRAM-MD5 with a short digest": ["AUTH CRAM-MD5", base64("anna 0123")],
  "CRAM-MD5 with a long digest": ["AUTH CRAM-MD5", base64(`anna ${digest}0`)],
  "CRAM-MD5 with a digest of letters": [
    "AUTH CRAM-MD5",
    base64(`anna ${digest.replaceAll("0", "z")}`),
  ],
  "CRAM-MD5 without a space": ["AUTH CRAM-MD5", base64(`anna${digest}`)],
  "CRAM-MD5 with two spaces": ["AUTH CRAM-MD5", base64(`anna  ${digest.slice(1)}`)],
  "CRAM-MD5 with an empty login": ["AUTH CRAM-MD5", base64(` ${digest}`)],
  "CRAM-MD5 with nothing": ["AUTH CRAM-MD5", ""],
  "CRAM-MD5 with broken base64": ["AUTH CRAM-MD5", "anna!"],
  "CRAM-MD5 twice, with one salt": ["AUTH CRAM-MD5", "!", "AUTH CRAM-MD5", base64(`a ${digest}`)],
  "EXTERNAL with an empty response": ["AUTH EXTERNAL", ""],
  "EXTERNAL with an equals sign": ["AUTH EXTERNAL ="],
  "EXTERNAL with broken base64": ["AUTH EXTERNAL", "!"],
  "external in small letters": ["AUTH external", base64("anna")],
  "an unknown mechanism with a response": [`AUTH SCRAM-SHA-1 ${base64("n,,n=anna,r=x")}`],
  "the beginning of a mechanism's name": ["AUTH PLAI"],
  "a mechanism's name and more": ["AUTH PLAINER"],
  "an unknown mechanism of eight letters": ["AUTH CRAM-MD6"],
};

/** Postern differs from nginx here. */
const stricter: Exchanges = {
  "PLAIN with a line feed in the name": [`AUTH PLAIN ${base64("\0an\nna\0secret")}`],
  "PLAIN with a CR in the password": [`AUTH PLAIN ${base64("\0anna\0sec\rret")}`],
  "PLAIN with a NUL in the password": [`AUTH PLAIN ${base64("\0anna\0sec\0ret")}`],
  "LOGIN with a line feed in the name": ["AUTH LOGIN", base64("an\nna"), base64("secret")],
  "LOGIN with a NUL in the password": ["AUTH LOGIN", base64("anna"), base64("sec\0ret")],
  "CRAM-MD5 with a line feed in the name": ["AUTH CRAM-MD5", base64(`an\nna ${digest}`)],
  "EXTERNAL with a line feed in the name": ["AUTH EXTERNAL", base64("an\nna")],
  "EXTERNAL, broken, after CRAM-MD5, broken": ["AUTH CRAM-MD5", "!", "AUTH EXTERNAL", "!"],
  "EXTERNAL after CRAM-MD5, broken": ["AUTH CRAM-MD5", "!", "AUTH EXTERNAL", base64("anna")],
  "PLAIN, cancelled": ["AUTH PLAIN", "*"],
  "LOGIN, cancelled at the name": ["AUTH LOGIN", "*"],
  "LOGIN, cancelled at the password": ["AUTH LOGIN", base64("anna"), "*"],
  "CRAM-MD5, cancelled": ["AUTH CRAM-MD5", "*"],
  "PLAIN, cancelled, and again": ["AUTH PLAIN", "*", `AUTH PLAIN ${anna}`],
  "PLAIN with an asterisk at once": ["AUTH PLAIN *"],
};

function scripts(protocol: ProtocolName): readonly Script[] {
  return Object.entries(servers).flatMap(([enabled, { [protocol]: server }]) => {
    const all =
      enabled === "all mechanisms" ? { ...common, ...plain, ...others, ...stricter } : common;
    return Object.entries(all).map(([name, lines]) => ({
      name: `${name}, with ${enabled}`,
      server,
      moves: moves(...lines.map((line) => said(protocol, line))),
      // A challenge-response login has no password, so the lookup must return one.
      lookup: [/^(?:CRAM|EXT)/i.test(name) ? yes({ "Auth-Pass": "given" }) : yes()],
    }));
  });
}

function said(protocol: ProtocolName, line: string): string {
  return protocol === "imap" ? line.replace(/^AUTH /, "a AUTHENTICATE ") : line;
}

export const sasl: readonly Topic[] = [
  { name: "IMAP AUTHENTICATE", scripts: scripts("imap") },
  { name: "POP3 AUTH", scripts: scripts("pop3") },
  { name: "SMTP AUTH", scripts: scripts("smtp") },
];
