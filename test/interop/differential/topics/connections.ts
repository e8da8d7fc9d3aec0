// TLS and the PROXY protocol.
import type { ProtocolName } from "../../../../shared/lookup.ts";
import {
  base64,
  imap,
  no,
  on,
  pop3,
  raw,
  type Step,
  type Script,
  smtp,
  starttls,
  type Topic,
  yes,
} from "../script.ts";

const servers = { imap, pop3, smtp };

const logins: Record<ProtocolName, readonly Step[]> = {
  imap: ["a LOGIN anna secret"],
  pop3: ["USER anna", "PASS secret"],
  smtp: [`AUTH PLAIN ${base64("\0anna\0secret")}`],
};

const protocols = ["imap", "pop3", "smtp"] as const;
const command = { imap: "x STARTTLS", pop3: "STLS", smtp: "STARTTLS" };

const upgrades = protocols.flatMap((protocol): readonly Script[] => {
  const server = servers[protocol]("starttls on;");
  const upgrade = starttls(protocol);
  return [
    ...on(server, {
      [`${protocol}: a login after STARTTLS`]: [upgrade, ...logins[protocol]],
      [`${protocol}: STARTTLS twice`]: [upgrade, command[protocol], ...logins[protocol]],
      [`${protocol}: STARTTLS with an argument`]: [
        { kind: "starttls", bytes: `${command[protocol]} now\r\n` },
        ...logins[protocol],
      ],
      [`${protocol}: STARTTLS in small letters`]: [
        { kind: "starttls", bytes: `${command[protocol].toLowerCase()}\r\n` },
      ],
      [`${protocol}: STARTTLS that ends in a bare line feed`]: [
        { kind: "starttls", bytes: `${command[protocol]}\n` },
      ],
      [`${protocol}: errors before STARTTLS count after it`]: [
        "x XXXX",
        "x XXXX",
        "x XXXX",
        upgrade,
        "x XXXX",
        "x XXXX",
      ],
      [`${protocol}: a command in front of STARTTLS in the same write`]: [
        { kind: "starttls", bytes: `${command[protocol]}\r\n` },
      ],
    }),
    ...on(
      server,
      {
        [`${protocol}: attempts before STARTTLS count after it`]: [
          ...logins[protocol],
          upgrade,
          ...logins[protocol],
        ],
      },
      { lookup: [no("wrong", { "Auth-Wait": 1 }), yes()] },
    ),
    ...on(servers[protocol]("starttls on;", { listen: "ssl" }), {
      [`${protocol}: STARTTLS under TLS from the start`]: command[protocol],
    }),
    ...on(
      server,
      { [`${protocol}: commands in the clear behind STARTTLS`]: [] },
      { first: "", moves: [raw(`${command[protocol]}\r\nx NOOP\r\n`)], leavesSilently: true },
    ),
  ];
});

const forgotten: readonly Script[] = [
  ...on(pop3("starttls on;"), {
    "POP3 forgets USER at STLS": ["USER anna", "NOOP", starttls("pop3"), "PASS secret"],
  }),
  ...on(pop3("starttls on; pop3_auth plain cram-md5;"), {
    "POP3 keeps its salt at STLS": [
      "AUTH CRAM-MD5",
      "!",
      starttls("pop3"),
      "AUTH CRAM-MD5",
      "!",
      "CAPA",
    ],
  }),
  ...on(imap("starttls on; imap_auth cram-md5;"), {
    "IMAP keeps its salt at STARTTLS": [
      "a AUTHENTICATE CRAM-MD5",
      "!",
      starttls("imap"),
      "a AUTHENTICATE CRAM-MD5",
      "!",
    ],
  }),
  ...on(smtp("starttls on; smtp_auth none plain;"), {
    "SMTP forgets MAIL at STARTTLS": [
      "EHLO client.example.test",
      "MAIL FROM:<a@example.test>",
      starttls("smtp"),
      "RCPT TO:<b@example.test>",
    ],
    "SMTP forgets EHLO at STARTTLS": ["EHLO client.example.test", starttls("smtp"), ...logins.smtp],
    "SMTP forgets EHLO at STARTTLS, and takes HELO": [
      "EHLO client.example.test",
      starttls("smtp"),
      "HELO other.example.test",
      "MAIL FROM:<a@example.test>",
      "RCPT TO:<b@example.test>",
    ],
  }),
];

const v2 = (...bytes: readonly number[]): string =>
  String.fromCharCode(
    0x0d,
    0x0a,
    0x0d,
    0x0a,
    0x00,
    0x0d,
    0x0a,
    0x51,
    0x55,
    0x49,
    0x54,
    0x0a,
    ...bytes,
  );

const ports = String.fromCharCode(0xc8, 0x22, 0, 143);

/** PROXY headers. CLIENT, or OCTETS, stands for the address that the client connected to. */
const headers: Readonly<Record<string, string>> = {
  "version 1 over IPv4": "PROXY TCP4 192.0.2.7 CLIENT 51234 143\r\n",
  "version 1 over IPv6": "PROXY TCP6 2001:db8::7 ::ffff:CLIENT 51234 143\r\n",
  "version 1 of an unknown client": "PROXY UNKNOWN\r\n",
  "version 1 of an unknown client with addresses": "PROXY UNKNOWN ::1 ::2 3 4\r\n",
  "version 1 with a port too large": "PROXY TCP4 192.0.2.7 CLIENT 70000 143\r\n",
  "version 1 without ports": "PROXY TCP4 192.0.2.7 CLIENT\r\n",
  "version 1 with a name for an address": "PROXY TCP4 example.test CLIENT 1 2\r\n",
  "version 1 that ends in LF": "PROXY TCP4 192.0.2.7 CLIENT 51234 143\n",
  "version 1 of another protocol": "PROXY UDP4 192.0.2.7 CLIENT 51234 143\r\n",
  "no header at all": "a NOOP\r\n",
  "version 2 over IPv4": `${v2(0x21, 0x11, 0, 12, 192, 0, 2, 7)}OCTETS${ports}`,
  "version 2 over IPv4 with an extension": `${v2(0x21, 0x11, 0, 17, 192, 0, 2, 7)}OCTETS${ports}\x04\0\x02ab`,
  "version 2, LOCAL": v2(0x20, 0x00, 0, 0),
  "version 2 over UDP": v2(0x21, 0x12, 0, 12, 192, 0, 2, 7, 127, 0, 0, 1, 0x12, 0x34, 0, 143),
  "version 2 of a Unix socket": v2(0x21, 0x31, 0, 4, 0, 0, 0, 0),
  "version 2 with a length too small": v2(0x21, 0x11, 0, 2, 1, 2),
  "version 3": v2(0x31, 0x11, 0, 0),
  "version 2 with an extension": v2(0x20, 0x00, 0, 6, 0x04, 0, 3, 1, 2, 3),
};

const balanced = Object.entries(headers).flatMap(([name, first]) =>
  protocols.flatMap((protocol): readonly Script[] =>
    ["", "set_real_ip_from 127.0.0.0/8;", "set_real_ip_from 192.0.2.0/24;"].flatMap((trust) =>
      on(
        servers[protocol](trust, { listen: "proxy_protocol" }),
        {
          [`${protocol}: ${name}${trust === "" ? "" : `, ${trust.slice(0, -1)}`}`]:
            logins[protocol],
        },
        { first },
      ),
    ),
  ),
);

const first = "PROXY TCP4 192.0.2.7 CLIENT 51234 143\r\n";

const more: readonly Script[] = [
  ...on(
    imap("set_real_ip_from 127.0.0.0/8;", { listen: "ssl proxy_protocol" }),
    { "a header in front of TLS": logins.imap },
    { first },
  ),
  ...on(
    imap("set_real_ip_from 127.0.0.0/8; proxy_protocol on;", { listen: "proxy_protocol" }),
    { "a header that is passed on": logins.imap },
    { first },
  ),
  ...on(
    smtp("set_real_ip_from 127.0.0.0/8;", { listen: "proxy_protocol" }),
    { "XCLIENT tells of IPv6": logins.smtp },
    { first: "PROXY TCP6 2001:db8::7 ::ffff:CLIENT 51234 143\r\n" },
  ),
];

export const connections: readonly Topic[] = [
  { name: "STARTTLS", scripts: [...upgrades, ...forgotten] },
  { name: "The PROXY protocol", scripts: [...balanced, ...more] },
];
