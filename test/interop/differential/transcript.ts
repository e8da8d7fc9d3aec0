// All that a session said and caused, without what can be the same in no two sessions.
export type Transcript = {
  /** Both sides of the conversation with the client. */
  readonly client: readonly string[];
  /** The request of each lookup. */
  readonly lookups: readonly (readonly string[])[];
  /** What each connection upstream was sent. */
  readonly upstreams: readonly (readonly string[])[];
};

/** What belongs to one session only. */
export type Particulars = {
  readonly address: string;
  readonly clientPort: number;
  readonly serverPort: number;
};

/** The session's address, ports and salts become words; one salt told twice is the same word twice. */
export function withoutParticulars(
  { client, lookups, upstreams }: Transcript,
  { address, clientPort, serverPort }: Particulars,
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
    lookups: lookups.map((request) => request.filter((line) => !OURS.test(line)).map(clean)),
    upstreams: upstreams.map((lines) => lines.map(clean)),
  };
}

/** Headers of lookups that only Postern sends; an endpoint that knows nginx's only does not look at them. */
const OURS = /^(?:Auth-Accept|Auth-SSL-Server-Name|Traceparent): /;
const SALT = /<\d+\.\d+@[^>]*>/;
const CHALLENGE = /^(< (?:\+|334) )([A-Za-z0-9+/]{20,}=*)/;
const PROXY_PORTS = /^(PROXY \S+ \S+ \S+) (\d+) (\d+)/;
