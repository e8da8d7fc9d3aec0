// Turns the transcript of nginx into the one that a known difference expects of Postern.
import type { ProtocolName } from "../../../shared/lookup.ts";
import { GOODBYE } from "./play.ts";
import type { Transcript } from "./transcript.ts";

export type Rewrite = (nginx: Transcript) => Transcript;
export type ByProtocol<Value> = Readonly<Record<ProtocolName, Value>>;

/** A line as transcripts have it. */
export function line(text: string): string {
  return `${text}\\r\\n`;
}

/** Rewrites that depend on the protocol, which the greeting shows. */
export function by(rewrites: ByProtocol<Rewrite>): Rewrite {
  return (nginx) => {
    const greeting = nginx.client.find((each) => each.startsWith("< ")) ?? "";
    if (greeting.startsWith("< * OK")) return rewrites.imap(nginx);
    return greeting.startsWith("< +OK") ? rewrites.pop3(nginx) : rewrites.smtp(nginx);
  };
}

/** Replaces lines of the conversation with the client. */
export function said(
  replace: (each: string, before: readonly string[], nginx: Transcript) => string,
): Rewrite {
  return (nginx) => ({
    ...nginx,
    client: nginx.client.map((each, index, lines) => replace(each, lines.slice(0, index), nginx)),
  });
}

/** Replaces a line of the server everywhere. */
export function saidInstead(theirs: string, ours: string): Rewrite {
  return said((each) => (each === line(`< ${theirs}`) ? line(`< ${ours}`) : each));
}

/** Removes a line of the server. */
export function leftOut(theirs: string): Rewrite {
  return (nginx) => ({
    ...nginx,
    client: nginx.client.filter((each) => each !== line(`< ${theirs}`)),
  });
}

/** Replaces all that comes after the first line that starts so, in the conversation with the client. */
export function after(start: string, rest: readonly string[]): Rewrite {
  return (nginx) => {
    const index = nginx.client.findIndex((each) => each.startsWith(start));
    if (index === -1) return nginx;
    return { ...nginx, client: [...nginx.client.slice(0, index + 1), ...rest] };
  };
}

/** Lines of the server. */
export function words(...lines: readonly string[]): readonly string[] {
  return lines.map((each) => line(`< ${each}`));
}

const own: ByProtocol<readonly string[]> = {
  imap: ["* BYE", "z OK completed"],
  pop3: ["+OK"],
  smtp: ["221 2.0.0 Bye"],
};

const upstreams: ByProtocol<readonly string[]> = {
  imap: ["* BYE", "z OK upstream says goodbye"],
  pop3: ["+OK upstream says goodbye"],
  smtp: ["221 2.0.0 upstream says goodbye"],
};

/** The answer to the client's goodbye: of the proxy, of the upstream, or none after the end of the session. */
const goodbyes = {
  proxy: own,
  upstream: upstreams,
  none: { imap: [], pop3: [], smtp: [] },
} satisfies Record<string, ByProtocol<readonly string[]>>;

type Answerer = keyof typeof goodbyes;

/** Replaces the answer to the last command before the goodbye, and all that follows. */
export function answered(
  protocol: ProtocolName,
  answer: readonly string[],
  answerer: Answerer,
): Rewrite {
  const goodbye = `> ${JSON.stringify(GOODBYE[protocol]).slice(1, -1)}`;
  return (nginx) => {
    const last = nginx.client.findLastIndex((each) => each.startsWith("> ") && each !== goodbye);
    const client = [
      ...nginx.client.slice(0, last + 1),
      ...words(...answer),
      goodbye,
      ...words(...goodbyes[answerer][protocol]),
      "(closed)",
    ];
    return { ...nginx, client };
  };
}

/** No lookup, and no upstream connection. */
export const noBackends: Rewrite = (nginx) => ({ ...nginx, lookups: [], upstreams: [] });

/** No upstream connection. */
export const noUpstream: Rewrite = (nginx) => ({ ...nginx, upstreams: [] });

/** One upstream connection that carries these lines. */
export function heard(...lines: readonly string[]): Rewrite {
  return (nginx) => ({ ...nginx, upstreams: [lines.map(line)] });
}

/** Replaces lines that the upstream receives. */
export function heardInstead(replace: (each: string) => string): Rewrite {
  return (nginx) => ({
    ...nginx,
    upstreams: nginx.upstreams.map((lines) => lines.map((each) => replace(each))),
  });
}

/** The headers of one lookup for a password. */
export function asked(protocol: ProtocolName, login: string, password: string): Rewrite {
  const lookup = [
    "GET /auth HTTP/1.0",
    "Host: 127.0.0.1",
    "Auth-Method: plain",
    `Auth-User: ${login}`,
    `Auth-Pass: ${password}`,
    `Auth-Protocol: ${protocol}`,
    "Auth-Login-Attempt: 1",
    "Client-IP: CLIENT",
    ...(protocol === "smtp" ? ["Client-Host: [UNAVAILABLE]"] : []),
    "X-Auth-Key: key",
    "X-Second: two words",
    "",
  ];
  return (nginx) => ({ ...nginx, lookups: [lookup.map(line)] });
}

/** Replaces header lines of lookups; an empty text leaves one out. */
export function askedInstead(replace: (each: string, lookup: number) => string): Rewrite {
  return (nginx) => ({
    ...nginx,
    lookups: nginx.lookups.map((request, index) =>
      request.map((each) => replace(each, index)).filter((each) => each !== ""),
    ),
  });
}

export function allOf(...rewrites: readonly Rewrite[]): Rewrite {
  return (nginx) => rewrites.reduce((transcript, rewrite) => rewrite(transcript), nginx);
}

/** Replaces the answer to a command. */
export function replied(command: string, reply: string): Rewrite {
  return said((each, before) =>
    before.at(-1) === line(`> ${command}`) && each.startsWith("< ") ? line(`< ${reply}`) : each,
  );
}
