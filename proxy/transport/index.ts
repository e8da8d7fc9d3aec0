/** The byte layer: everything above knows a `Transport` and its `Connection`s, never a socket. */
export type {
  Address,
  ClientTls,
  Connection,
  Datagrams,
  Deadline,
  DialOptions,
  Dials,
  Expiring,
  Listener,
  Receiver,
  ServerTls,
  Splice,
  SpliceReport,
  TlsSession,
  Transport,
  Verification,
} from "./connection.ts";
export { inherit } from "./inherited.ts";
export { BindError, type BoundSocket, accept, acceptOn, bind } from "./listen.ts";
export { NoRoom, SocketTransport, SourceError } from "./socket-transport.ts";
export {
  ServerContexts,
  type ServerSecrets,
  SocketClientTls,
  SocketServerTls,
  type TicketKeys,
  trustSystem,
} from "./tls/index.ts";
export { Input, TooLong, chomp, trimBlanks, trimSpaces } from "./input.ts";
export { orGiveUp } from "./give-up.ts";
export {
  type Command,
  InjectedPlaintext,
  MORE,
  PeerClosed,
  type Request,
  START_TLS,
  type Script,
  type ScriptOwner,
  ScriptRunner,
  type TlsWaiter,
  runScript,
  takeBytes,
  takeLine,
} from "./script.ts";
