/** After the login: bytes flow both ways, unparsed, until both sides have ended. */
import type { ByteString } from "../../../shared/lookup.ts";
import { reason } from "../../reason.ts";
import type {
  Connection,
  Input,
  Splice,
  SpliceOwner,
  SpliceReport,
} from "../../transport/index.ts";
import { ENDS } from "../phase-table.ts";
import type { RelayedBytes } from "../record.ts";
import { Phase, type SessionContext } from "./phase.ts";

export class RelayPhase extends Phase implements SpliceOwner {
  readonly step = "relay";
  /** Null, since a byte of ours might fall into the middle of something. */
  readonly handler = null;
  readonly #upstream: Connection;
  #splice: Splice | null = null;
  #kicked = false;

  /**
   * @param reply to the client's login
   * @param rest bytes that the upstream sent behind its own reply
   */
  constructor(session: SessionContext, upstream: Connection, reply: ByteString, rest: Input) {
    super(session);
    this.#upstream = upstream;
    session.client.connection.write(reply + (rest.bytes(rest.length) ?? ""));
  }

  begin(): void {
    const { client, input, server, deadline } = this.session;
    const { transport, settings } = server;
    deadline.clear();
    if (input.length > 0) this.#upstream.write(input.rest());
    const limits = { idle: settings.proxy_timeout, halfClosed: settings.timeout };
    this.#splice = transport.splice(client.connection, this.#upstream, limits, this);
  }

  spliced(report: SpliceReport): void {
    this.session.telemetry.relayed(report);
    this.session.end(this.#endOf(report.end));
  }

  #endOf(end: SpliceReport["end"]): string {
    switch (end.by) {
      case "idle":
        return "nothing was said for proxy_timeout";
      case "stop":
        return this.#kicked ? ENDS.kicked : ENDS.stopped;
      case "client":
      case "upstream":
        return end.error === null
          ? `the ${end.by} closed the connection`
          : `${end.by} ${reason(end.error)}`;
    }
  }

  override get relayed(): RelayedBytes | null {
    return this.#splice;
  }

  override get kickable(): boolean {
    return true;
  }

  override kick(): void {
    this.#kicked = true;
    this.#splice?.stop();
  }

  override terminate(): void {
    this.#splice?.stop();
  }

  /** A session that is logged in goes on. */
  override shutDown(): void {}

  /** The splice has deadlines of its own. */
  expired(): void {}
}
