// Valid and broken replies of the lookup endpoint.
import type { ProtocolName } from "../../../../shared/lookup.ts";
import {
  base64,
  imap,
  moves,
  no,
  pop3,
  type Step,
  type Script,
  smtp,
  together,
  type Topic,
  yes,
} from "../script.ts";

/** The position of the user name in a login, and the commands of a second login. */
const logins: Record<ProtocolName, readonly Step[]> = {
  imap: ["a LOGIN anna secret"],
  pop3: ["USER anna", "PASS secret"],
  smtp: ["EHLO client.example.test", `AUTH PLAIN ${base64("\0anna\0secret")}`],
};

const again: Record<ProtocolName, readonly Step[]> = {
  imap: ["b LOGIN bert other"],
  pop3: ["USER bert", "PASS other"],
  smtp: [`AUTH PLAIN ${base64("\0bert\0other")}`],
};

const inOneWrite: Record<ProtocolName, readonly Step[]> = {
  imap: [together("a LOGIN anna secret", "b LOGIN bert other", "c NOOP")],
  pop3: [together("USER anna", "PASS secret", "USER bert", "PASS other", "NOOP")],
  smtp: [
    together(
      `AUTH PLAIN ${base64("\0anna\0secret")}`,
      `AUTH PLAIN ${base64("\0bert\0other")}`,
      "NOOP",
    ),
  ],
};

/** nginx waits until auth_http_timeout for the rest of a broken reply. */
const patience = "auth_http_timeout 2s;";
const servers = {
  imap: imap(patience),
  pop3: pop3(patience),
  smtp: smtp(`proxy_smtp_auth on; ${patience}`),
};

const status = "HTTP/1.0 200 OK\r\n";
const place = "Auth-Server: UPSTREAM_HOST\r\nAuth-Port: UPSTREAM_PORT\r\n";

/** Replies to the lookup of a single login. */
const answers: Readonly<Record<string, string>> = {
  "a yes": yes(),
  "a yes with another name": yes({ "Auth-User": "other@example.test" }),
  "a yes with another password": yes({ "Auth-Pass": "other password" }),
  "a yes with another name and password": yes({ "Auth-User": "o", "Auth-Pass": "p" }),
  "a yes with percent signs, which are no escapes": yes({
    "Auth-User": "a%20b",
    "Auth-Pass": "%41",
  }),
  "a yes in UTF-8": yes({ "Auth-User": "\xc3\xa4", "Auth-Pass": "\xc3\xb6" }),
  "a yes with a wait, which says nothing": yes({ "Auth-Wait": 3 }),
  "a yes with an error code, which says nothing": yes({ "Auth-Error-Code": "550" }),
  "a yes with headers of others": yes({ Server: "x", "X-Any": "thing", "Set-Cookie": "a=b" }),
  "names of headers in small letters": `${status}auth-status: OK\r\n${place.toLowerCase().replaceAll(/upstream_\w+/g, (word) => word.toUpperCase())}\r\n`,
  "names of headers in capitals": `${status}AUTH-STATUS: OK\r\nAUTH-SERVER: UPSTREAM_HOST\r\nAUTH-PORT: UPSTREAM_PORT\r\n\r\n`,
  "many spaces around values": `${status}Auth-Status:    OK   \r\n${place}\r\n`,
  "no space before values": `${status}Auth-Status:OK\r\n${place.replaceAll(": ", ":")}\r\n`,
  "lines that end in LF": `${status}Auth-Status: OK\r\n${place}\r\n`.replaceAll("\r\n", "\n"),
  "HTTP/1.1": `HTTP/1.1 200 OK\r\nAuth-Status: OK\r\n${place}\r\n`,
  "a status line without words": `HTTP/1.0 200\r\nAuth-Status: OK\r\n${place}\r\n`,
  "headers without a status line": `Auth-Status: OK\r\n${place}\r\n`,
  "a body": `${status}Auth-Status: OK\r\n${place}\r\nAuth-Status: this is no header\r\n`,
  "a status of 204": `HTTP/1.0 204 No Content\r\nAuth-Status: OK\r\n${place}\r\n`,
  "a server named twice": `${status}Auth-Status: OK\r\nAuth-Server: 192.0.2.1\r\n${place}\r\n`,
  "an OK said twice": `${status}Auth-Status: OK\r\nAuth-Status: OK\r\n${place}\r\n`,
  "a no said twice": `${status}Auth-Status: no\r\nAuth-Status: not now\r\n${place}\r\n`,
  "a header without a colon": `${status}Auth-Status: OK\r\nX-Alone\r\n${place}\r\n`,
  "a port with leading zeros": `${status}Auth-Status: OK\r\nAuth-Server: UPSTREAM_HOST\r\nAuth-Port: 00UPSTREAM_PORT\r\n\r\n`,
  "a password said twice": `${status}Auth-Status: OK\r\nAuth-Pass: 1\r\nAuth-Pass: 2\r\n${place}\r\n`,
  "an empty password": yes({ "Auth-Pass": "" }),
  "an empty name": yes({ "Auth-User": "" }),
  "an error code said twice": no("no", { "Auth-Error-Code": "535", "auth-error-code": "554" }),
  "a request to wait beside a no": `${status}Auth-Status: WAIT\r\nAuth-Status: no\r\n\r\n`,
  "an address of IPv6 with a zone": yes({ "Auth-Server": "fe80::1%lo" }),
  "a no after a yes": `${status}Auth-Status: OK\r\nAuth-Status: no\r\n${place}\r\n`,
  "a yes after a no": `${status}Auth-Status: no\r\nAuth-Status: OK\r\n${place}\r\n`,
  "a no": no("Invalid login or password"),
  "a no with a code of the protocol": no("[AUTHENTICATIONFAILED] Invalid login"),
  "a no in UTF-8": no("falsches Pa\xc3\x9fwort"),
  "a no with a server": no("no", { "Auth-Server": "UPSTREAM_HOST", "Auth-Port": "UPSTREAM_PORT" }),
  "a no with an error code": no("5.7.8 wrong", { "Auth-Error-Code": "535" }),
  "a no with an enhanced error code": no("wrong", { "Auth-Error-Code": "454 4.7.0" }),
  "a no with a wait of 0": no("wrong", { "Auth-Wait": 0 }),
  "a no with a wait that is no number": no("wrong", { "Auth-Wait": "soon" }),
  "a no with a negative wait": no("wrong", { "Auth-Wait": "-1" }),
  "an OK in small letters": yes({ "Auth-Status": "ok" }),
  "an OK and more": yes({ "Auth-Status": "OK then" }),
  "a status of 401 with a no": "HTTP/1.0 401 Unauthorized\r\nAuth-Status: wrong\r\n\r\n",
  "a status of 503 with words": "HTTP/1.0 503 Wait\r\nAuth-Status: [UNAVAILABLE] later\r\n\r\n",
  "a status of 503 with words and a code":
    "HTTP/1.0 503 Wait\r\nAuth-Status: 4.3.0 later\r\nAuth-Error-Code: 454\r\n\r\n",
  "a yes without a server": `${status}Auth-Status: OK\r\nAuth-Port: 143\r\n\r\n`,
  "a yes without a port": `${status}Auth-Status: OK\r\nAuth-Server: 127.0.0.1\r\n\r\n`,
  "a yes with neither a name nor an address": yes({ "Auth-Server": "local host" }),
  "a yes with an address in brackets": yes({ "Auth-Server": "[::1]" }),
  "a yes with port 0": yes({ "Auth-Port": 0 }),
  "a yes with port 65536": yes({ "Auth-Port": 65_536 }),
  "a yes with a port that is no number": yes({ "Auth-Port": "imap" }),
  "a yes to a port that is closed": yes({ "Auth-Port": 1 }),
  "a yes to IPv6 that refuses connections": yes({ "Auth-Server": "::1", "Auth-Port": 1 }),
  "a header that breaks off": `${status}Auth-Status: OK\r\nAuth-Ser`,
  "no empty line at the end": `${status}Auth-Status: OK\r\n${place}`,
  "a broken status line": `HTTP/1.0 200 OK\rAuth-Status: OK\r\n${place}\r\n`,
  "a header of 800 bytes": yes({ "X-Padding": "x".repeat(800) }),
  "a yes with a status of 500": `HTTP/1.0 500 Oops\r\nAuth-Status: OK\r\n${place}\r\n`,
  "a yes with a status of 404": `HTTP/1.0 404 Where\r\nAuth-Status: OK\r\n${place}\r\n`,
  "no Auth-Status": `${status}${place}\r\n`,
  "an empty Auth-Status": `${status}Auth-Status: \r\n${place}\r\n`,
  "a header of 2000 bytes": yes({ "X-Padding": "x".repeat(2000) }),
  "a name with an underscore": yes({ X_Padding: "x" }),
  "a page of HTML": `${status}Content-Type: text/html\r\n\r\n<h1>Hello</h1>\r\n`,
};

const scripts = (protocol: ProtocolName): readonly Script[] => {
  const server = servers[protocol];
  const wait = { "Auth-Wait": 1, "Auth-Error-Code": "535 5.7.8" };
  return [
    ...Object.entries(answers).map(([name, answer]) => ({
      name,
      server,
      moves: moves(...logins[protocol]),
      lookup: [answer],
    })),
    {
      name: "a no with a wait, and a second try",
      server,
      moves: moves(...logins[protocol], ...again[protocol]),
      lookup: [no("wrong", wait), yes()],
    },
    {
      name: "three times no with a wait, then without",
      server,
      moves: moves(...logins[protocol], ...again[protocol], ...logins[protocol]),
      lookup: [no("wrong", wait), no("wrong again", wait), no("that was all")],
    },
    {
      name: "a no with a wait, and a second try in the same write",
      server,
      moves: moves(...inOneWrite[protocol]),
      lookup: [no("wrong", wait), yes()],
    },
    {
      name: "a request to wait, then a yes",
      server,
      moves: moves(...logins[protocol]),
      lookup: [`${status}Auth-Status: WAIT\r\nAuth-Wait: 1\r\n\r\n`, yes()],
    },
    {
      name: "a request to wait, then a no",
      server,
      moves: moves(...logins[protocol]),
      lookup: [`${status}Auth-Status: WAIT\r\nAuth-Wait: 1\r\n\r\n`, no("wrong")],
    },
    {
      name: "no answer in time",
      server,
      moves: moves(...logins[protocol]),
      lookup: [""],
    },
    {
      name: "no lookup endpoint",
      server: { ...server, directives: `${server.directives} auth_http 127.0.0.1:1/auth;` },
      moves: moves(...logins[protocol]),
    },
    {
      name: "connections that are kept open",
      server: { ...server, posternOnly: "" },
      moves: moves(...logins[protocol]),
    },
  ];
};

export const lookups: readonly Topic[] = [
  { name: "Answers to the lookup of an IMAP login", scripts: scripts("imap") },
  { name: "Answers to the lookup of a POP3 login", scripts: scripts("pop3") },
  { name: "Answers to the lookup of an SMTP login", scripts: scripts("smtp") },
];
