/** The byte layer: everything above knows a `Transport` and its `Connection`s, never a socket. */
export type {
  Address,
  ClientTls,
  Connection,
  Datagrams,
  Deadline,
  Dial,
  DialOptions,
  DialReceiver,
  Expiring,
  Listener,
  Receiver,
  ServerTls,
  Splice,
  SpliceOwner,
  SpliceReport,
  TlsReceiver,
  TlsSession,
  Transport,
  Verification,
} from "./connection.ts";
export { inherit } from "./inherited.ts";
export { BindError, type BoundSocket, accept, acceptOn, bind } from "./listen.ts";
export { NoRoom, SocketTransport, SourceError } from "./socket-transport.ts";
export {
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
  type TlsParameters,
  type UseContext,
  createServerContext,
  trustSystem,
  useTickets,
} from "./tls/index.ts";
export {
  Input,
  TooLong,
  chomp,
  stripBlanks,
  stripSpaces,
  trimBlanks,
  trimSpaces,
} from "./input.ts";
export { openConnection } from "./open-connection.ts";
export {
  type Command,
  InjectedPlaintext,
  MORE,
  PeerClosed,
  START_TLS,
  type Script,
  type ScriptOwner,
  ScriptRunner,
  runScript,
  takeBytes,
  takeLine,
} from "./script.ts";
