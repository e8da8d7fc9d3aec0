// CPU time of a complete session: connect, log in, one small exchange, log out.
//
// Under TLS 1.3, once with a full handshake each, once resumed by ticket each.
import type { Door } from "../configuration.ts";
import { cost } from "../measure/cost.ts";
import type { ProtocolName, Security } from "../processes/client.ts";
import type { Scenario } from "../scenario.ts";

/** Sessions at once: enough that nginx's waits for delayed ACKs under TLS do not stretch the run. */
const AT_ONCE = { clear: 16, tls: 64, resumed: 64 } as const;

export const sessions: readonly Scenario[] = [
  session("imap session", "imap", "imap", "clear"),
  session("pop3 session", "pop3", "pop3", "clear"),
  session("smtp session", "smtp", "smtp", "clear"),
  session("imap session, TLS, EC", "imaps", "imap", "tls"),
  session("imap session, TLS, EC, resumed", "imaps", "imap", "resumed"),
  session("imap session, TLS, RSA", "imapsRsa", "imap", "tls"),
];

function session(name: string, door: Door, protocol: ProtocolName, security: Security): Scenario {
  return {
    name,
    unit: "µs CPU",
    target: { atMost: 1.25 },
    async measure(round) {
      const { load, rival } = round;
      await load.open({ port: rival.doors[door], protocol, security }, AT_ONCE[security]);
      // What is to be resumed needs a session before it.
      if (security === "resumed") await load.run("session", 0);
      return cost(round, "session");
    },
  };
}
