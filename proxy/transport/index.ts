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
  type CheckedOption,
  type ClientCertificateOptions,
  type ClientTlsOptions,
  ClientVerifier,
  type KeyPair,
  type ServerContext,
  type ServerContextSource,
  type ServerTlsOptions,
  SocketClientTls,
  SocketServerTls,
  TicketKeyRing,
  type TicketKeys,
  TlsOptionError,
  type TlsParameters,
  type UseContext,
  checkClientTls,
  createServerContext,
  trustSystem,
  useTickets,
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
