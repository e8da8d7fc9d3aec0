// Every command in every state, with right and wrong arguments, for each setting of starttls.
import type { ProtocolName } from "../../../../shared/lookup.ts";
import {
  base64,
  imap,
  type Move,
  moves,
  pop3,
  type Script,
  type ServerSpec,
  smtp,
  starttls,
  type Topic,
} from "../script.ts";

type State = { readonly server: ServerSpec; readonly before: readonly (string | Move)[] };

function inEveryState(
  states: Readonly<Record<string, State>>,
  commands: readonly string[],
): readonly Script[] {
  return Object.entries(states).flatMap(([state, { server, before }]) =>
    commands.map((command) => ({
      name: `${JSON.stringify(command)} ${state}`,
      server,
      moves: moves(...before, command),
    })),
  );
}

/** The same server with each setting of `starttls`, and with `listen … ssl`. */
function byTls(
  protocol: ProtocolName,
  server: (directives?: string, more?: Partial<ServerSpec>) => ServerSpec,
  directives = "",
): Record<string, State> {
  return {
    "without STARTTLS": { server: server(directives), before: [] },
    "where STARTTLS is offered": { server: server(`${directives} starttls on;`), before: [] },
    "where STARTTLS is a must": { server: server(`${directives} starttls only;`), before: [] },
    "after STARTTLS": {
      server: server(`${directives} starttls only;`),
      before: [starttls(protocol)],
    },
    "under TLS from the start": { server: server(directives, { listen: "ssl" }), before: [] },
  };
}

const plain = base64("\0anna\0secret");

const imapCommands = [
  "a CAPABILITY",
  "a CAPABILITY now",
  "a capability",
  "a NOOP",
  "a NOOP 1 2 3",
  "a NOOP 1 2 3 4",
  "a LOGOUT",
  "a logout now",
  "a LOGIN",
  "a LOGIN anna",
  "a LOGIN anna secret",
  "a LoGiN anna secret",
  "a LOGIN anna secret more",
  "a LOGIN anna secret more and more",
  'a LOGIN "" secret',
  'a LOGIN anna ""',
  "a AUTHENTICATE",
  `a AUTHENTICATE PLAIN ${plain}`,
  "a AUTHENTICATE LOGIN",
  "a SELECT INBOX",
  "a LOGINS anna secret",
  "a NOO",
  "a",
  "a ",
  "",
  " a NOOP",
];

const pop3Commands = [
  "CAPA",
  "capa",
  "CAPA all",
  "NOOP",
  "NOOP 1 2 3",
  "NOOP 1 2 3 4",
  "QUIT",
  "quit now",
  "USER",
  "USER ",
  "USER anna",
  "user anna",
  "USER anna of green gables",
  "USER   anna  ",
  "PASS",
  "PASS ",
  "PASS secret",
  "PASS  se cret ",
  "PaSs 1 2 3 4 5",
  "APOP",
  "APOP anna",
  "APOP anna 0123456789abcdef",
  "APOP anna 0123456789abcdef more",
  "AUTH",
  "AUTH LOGIN",
  `AUTH PLAIN ${plain}`,
  "AUTH PLAIN 2 3 4",
  "STAT",
  "LIST 1",
  "NOO",
  "NOOPS",
  "",
  " NOOP",
];

const smtpCommands = [
  "EHLO client.example.test",
  "EHLO",
  "EHLO ",
  "EHLO two names",
  "ehlo client.example.test",
  "HELO client.example.test",
  "HELO",
  "HELO two names",
  "AUTH",
  "AUTH LOGIN",
  `AUTH PLAIN ${plain}`,
  "MAIL FROM:<a@example.test>",
  "MAIL",
  "mail from:<a@example.test>",
  "RCPT TO:<b@example.test>",
  "RCPT",
  "DATA",
  "BDAT 3 LAST",
  "RSET",
  "RSET now",
  "NOOP",
  "noop 1 2 3 4 5 6 7 8 9 10 11",
  "NOOP 1 2 3 4 5 6 7 8 9 10 11 12",
  "VRFY anna",
  "EXPN all",
  "HELP",
  "XCLIENT ADDR=192.0.2.1",
  "QUIT",
  "QUIT now",
  "",
  " NOOP",
  "NOOPS",
  "NOO",
  "MAILING FROM:<a@example.test>",
];

const full = "pop3_auth plain apop cram-md5 external;";

export const commands: readonly Topic[] = [
  { name: "IMAP commands", scripts: inEveryState(byTls("imap", imap), imapCommands) },
  {
    name: "POP3 commands",
    scripts: inEveryState(byTls("pop3", pop3, full), pop3Commands),
  },
  {
    name: "POP3 commands after USER",
    scripts: inEveryState(
      {
        "after USER": { server: pop3(full), before: ["USER bert"] },
        "after USER under TLS": {
          server: pop3(full, { listen: "ssl" }),
          before: ["USER bert"],
        },
        "after USER where STARTTLS is offered": {
          server: pop3("starttls on;"),
          before: ["USER bert"],
        },
      },
      pop3Commands,
    ),
  },
  { name: "SMTP commands", scripts: inEveryState(byTls("smtp", smtp), smtpCommands) },
  {
    name: "SMTP commands with smtp_auth none",
    scripts: inEveryState(byTls("smtp", smtp, "smtp_auth none;"), smtpCommands),
  },
];
