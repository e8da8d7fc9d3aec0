// The login at an upstream over a connection of a test's, as a session makes it.
import type {
  Account,
  ClientInfo,
  LoginEnd,
  ProtocolHandler,
} from "../../../proxy/protocols/index.ts";
import type { SessionContext } from "../../../proxy/session/phases/phase.ts";
import { UpstreamLogin, type UpstreamSecurity } from "../../../proxy/session/upstream-login.ts";
import type { ClientTls, Connection } from "../../../proxy/transport/index.ts";

export interface LoggedIn {
  readonly end: LoginEnd;
  /** Bytes that the upstream sent behind its verdict. */
  readonly rest: Uint8Array;
}

/** The part of a session that an upstream login needs. */
function sessionOf(info: ClientInfo, upstreamTls: ClientTls): SessionContext {
  const context = {
    server: { settings: { proxy_protocol: "off", timeout: 60_000 }, upstreamTls },
    client: { info },
    deadline: { set() {}, clear() {} },
    telemetry: { log() {} },
  };
  return context as object as SessionContext;
}

/** @throws Error where the upstream gives no verdict */
export function logIn(
  connection: Connection,
  handler: ProtocolHandler,
  account: Account,
  info: ClientInfo,
  security: UpstreamSecurity,
  tls: ClientTls,
): Promise<LoggedIn> {
  return new Promise((resolve, reject) => {
    new UpstreamLogin(sessionOf(info, tls), handler, connection, security, account, {
      upstreamStep: "",
      loginEnded: (_, end, rest) => resolve({ end, rest: rest.rest() }),
      loginFailed: reject,
    }).start();
  });
}
