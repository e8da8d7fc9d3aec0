// Replies of mail servers while Postern logs in.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ServerSettings } from "../../../proxy/config/index.ts";
import { type LoginEnd, configureProtocol } from "../../../proxy/protocols/index.ts";
import { Input, START_TLS, TooLong } from "../../../proxy/transport/index.ts";
import type { ProtocolName, TlsMode } from "../../../shared/lookup.ts";
import { anna, client } from "../../support/proxy/login-script.ts";
import { inputs } from "../../support/property.ts";
import { serverSettings } from "../../support/proxy/settings.ts";
import { CONVERSATIONS, DECLINES, GREETINGS } from "../explorer/peers/conversations.ts";
import { Share, changes, readInPieces } from "./mutation.ts";

type Outcome = {
  readonly end: LoginEnd | "waits" | "tls" | `error ${string}`;
  readonly sent: string;
};

/** Options that change what Postern says. */
const OPTIONS: readonly Partial<ServerSettings>[] = [
  { proxy_smtp_auth: true },
  { proxy_smtp_auth: true, proxy_client_id: true, proxy_buffer: 256 },
  { proxy_smtp_auth: false, xclient: true },
];

/** One way to log in. */
interface Exchange {
  readonly option: number;
  readonly tls: TlsMode;
  readonly bearer: "xoauth2" | null;
}

const EXCHANGES: readonly Exchange[] = OPTIONS.flatMap((_, option) =>
  (["off", "tls", "starttls"] as const).flatMap((tls) =>
    ([null, "xoauth2"] as const).map((bearer) => ({ option, tls, bearer })),
  ),
);

for (const name of ["imap", "pop3", "smtp"] as const) {
  const protocols = OPTIONS.map((options) => configureProtocol(serverSettings(name, options)));
  // The client's tag is `a`.
  const handlers = protocols.map((protocol) => {
    const handler = protocol.open(false);
    const input = new Input();
    input.append(Buffer.from("a NOOP\r\n"));
    if (name === "imap") handler.next(input);
    return handler;
  });

  const play = (
    { option, tls, bearer }: Exchange,
    next: (sent: string) => string | undefined,
  ): Outcome => {
    const input = new Input();
    let sent = "";
    let unanswered = "";
    try {
      const script = handlers[option]!.login({ ...anna, bearer }, client, tls, input);
      for (;;) {
        const { done, value } = script.next();
        if (done === true) return { end: value, sent };
        if (value === null) {
          const piece = next(unanswered);
          unanswered = "";
          if (piece === undefined) return { end: "waits", sent };
          input.append(Buffer.from(piece, "latin1"));
        } else if (value === START_TLS) return { end: "tls", sent };
        else {
          const text = typeof value === "string" ? value : "text" in value ? value.text : "";
          sent += text;
          unanswered += text;
        }
      }
    } catch (error) {
      assert.ok(error instanceof Error);
      const why = error instanceof TooLong ? "too long" : error.message;
      assert.match(why, /^(too long|upstream )/, "an error of the protocol, and no bug");
      return { end: `error ${why}`, sent };
    }
  };

  /** The replies of a server that says yes or no, to what Postern really says. */
  const transcript = (exchange: Exchange, greeting: string, accepts: boolean): string => {
    const judge = { accepts: () => accepts, acceptsNone: () => {} };
    const conversation = CONVERSATIONS[name](judge);
    conversation.next();
    let said = greeting;
    play(exchange, (sent) => {
      if (sent === "") return greeting;
      const replies = sent
        .split("\r\n")
        .slice(0, -1)
        .map((line) => conversation.next(line).value);
      const text = replies.map((reply) => (reply ? reply.text : "")).join("");
      said += text;
      return text === "" ? undefined : text;
    });
    return said;
  };

  const exchanges = EXCHANGES.flatMap((exchange) =>
    [...GREETINGS[name], DECLINES[name]].flatMap((greeting) =>
      [true, true, false].map((yes) => ({
        ...exchange,
        said: transcript(exchange, greeting, yes),
      })),
    ),
  );

  describe(`${name}: what a server says`, () => {
    test("leads to the same end however the network cuts it, and to a yes only by the server's yes", (t) => {
      const share = new Share();
      fc.assert(
        fc.property(fc.constantFrom(...exchanges), changes, (exchange, change) => {
          const said = change(exchange.said);
          const { end, sent } = readInPieces(said, (pieces) => {
            const left = [...pieces];
            return play(exchange, () => left.shift());
          });
          const accepted = typeof end === "object" && end.kind === "accepted";
          share.count(accepted);
          const { option, tls } = exchange;
          if (accepted && OPTIONS[option]!.proxy_smtp_auth === true) assert.match(said, YES[name]);
          assertSecretIsSafe(sent, end, tls);
        }),
        inputs(2),
      );
      share.assertAbove(0.15, t);
    });
  });
}

const YES: Readonly<Record<ProtocolName, RegExp>> = {
  imap: /^a OK/im,
  pop3: /^\+OK/im,
  smtp: /^235/m,
};

/** Before STARTTLS is done, and for a server that is not ready, the password is not said. */
function assertSecretIsSafe(sent: string, end: Outcome["end"], tls: TlsMode): void {
  const saysSecret =
    sent.includes(anna.password ?? "") || sent.includes(btoa(`\0anna\0${anna.password}`));
  if (end === "tls" || (typeof end === "object" && end.kind === "unready")) assert.ok(!saysSecret);
  if (tls === "starttls") assert.ok(!saysSecret || end === "tls", sent);
}
