// A session as text, without the addresses, ports and salts that differ from one session to the next.
export type Transcript = {
  /** Both sides of the conversation with the client. */
  readonly client: readonly string[];
  /** The request of each lookup. */
  readonly lookups: readonly (readonly string[])[];
  /** The lines that the proxy sent over each upstream connection. */
  readonly upstreams: readonly (readonly string[])[];
};

/** Values that belong to one session only. */
export type SessionValues = {
  readonly address: string;
  readonly clientPort: number;
  readonly serverPort: number;
};

/** Replaces the session's address, ports and salts by words; the same salt becomes the same word. */
export function withoutSessionValues(
  { client, lookups, upstreams }: Transcript,
  { address, clientPort, serverPort }: SessionValues,
): Transcript {
  const salts: string[] = [];
  const named = (salt: string): string => {
    if (!salts.includes(salt)) salts.push(salt);
    return `<SALT ${salts.indexOf(salt) + 1}>`;
  };
  const clean = (line: string): string =>
    line
      .replaceAll(address, "CLIENT")
      .replace(PROXY_PORTS, (_, before: string, from: string, to: string) =>
        [
          before,
          from === `${clientPort}` ? "CLIENT_PORT" : from,
          to === `${serverPort}` ? "SERVER_PORT" : to,
        ].join(" "),
      )
      .replace(SALT, named)
      .replace(CHALLENGE, (whole, before: string, text: string) => {
        const challenge = Buffer.from(text, "base64").toString("latin1");
        return SALT.test(challenge)
          ? `${before}base64 of ${challenge.replace(SALT, named)}`
          : whole;
      });
  return {
    client: client.map(clean),
    lookups: lookups.map((request) =>
      request.filter((line) => !POSTERN_ONLY.test(line)).map(clean),
    ),
    upstreams: upstreams.map((lines) => lines.map(clean)),
  };
}

/** Lookup headers that only Postern sends. An endpoint made for nginx does not read them. */
const POSTERN_ONLY = /^(?:Auth-Accept|Auth-SSL-Server-Name|Traceparent): /;
const SALT = /<\d+\.\d+@[^>]*>/;
const CHALLENGE = /^(< (?:\+|334) )([A-Za-z0-9+/]{20,}=*)/;
const PROXY_PORTS = /^(PROXY \S+ \S+ \S+) (\d+) (\d+)/;
