/**
 * One run: real sessions between simulated clients, lookup endpoint and mail servers. Choices decide which of the
 * possible events comes next, until Postern has nothing left to do.
 */
import { ConnectionCounts, RejectionCounts } from "../../../proxy/limits/index.ts";
import { HttpEndpoint, LookupClient } from "../../../proxy/lookup/index.ts";
import { type Server, Session, serverLimits } from "../../../proxy/session/index.ts";
import { Health, direct } from "../../../proxy/upstream/index.ts";
import type { Address } from "../../../proxy/transport/index.ts";
import type { Choices } from "./choices.ts";
import { Clock, useClock } from "./clock.ts";
import { SimConnection } from "./connection.ts";
import type { Add, Mishaps, Network, Peer } from "./network.ts";
import { Observer } from "./observer.ts";
import { Operator, type Side } from "./operator.ts";
import { type Attempt, newAttempt } from "./peers/attempt.ts";
import { Client } from "./peers/client.ts";
import { type Directory, LookupPeer } from "./peers/lookup-endpoint.ts";
import { ProgramWriter } from "./peers/programs.ts";
import { Upstream } from "./peers/upstream.ts";
import { PendingPromises, SimLimiter, clientResolver, hostResolver } from "./promises.ts";
import { type Scenario, chooseScenario } from "./scenario.ts";
import { SimTransport } from "./transport.ts";
import { Users } from "./users.ts";

/** Mail servers of one run. */
const MOST_SERVERS = 16;

/** Lookups go to this port. */
const ENDPOINT_PORT = 1;

const WORDS = {
  imap: { refusal: "[AUTHENTICATIONFAILED]", failure: "[UNAVAILABLE]", code: "-" },
  pop3: { refusal: "[AUTH]", failure: "[SYS/TEMP]", code: "-" },
  smtp: { refusal: "no", failure: "later", code: "535 5.7.8" },
} as const;

const PORTS = { imap: [143, 993], pop3: [110, 995], smtp: [25, 465] } as const;

/** Runs follow one another on a clock that only goes forward, so that they can share what forgets with time. */
let epoch = 0;
let counts = new ConnectionCounts();

/** The parts of a server that all its sessions share. */
type SharedServer = Omit<Server, "transport" | "routes" | "metrics" | "errorLog" | "accessLog">;

export class World implements Network, Directory {
  readonly choices: Choices;
  readonly scenario: Scenario;
  readonly mishaps: Mishaps;
  readonly clock: Clock;
  readonly promises: PendingPromises;
  readonly sides: Side[] = [];
  readonly connections: SimConnection[] = [];
  readonly users = new Users();
  readonly namesUsers: boolean;
  /** The first promise that Postern has broken. */
  broken: string | null = null;
  /** The events so far, where they are wanted. */
  readonly script: string[] | null;
  /** True once peers do nothing any more. */
  quiet = false;
  readonly #attempts: Attempt[] = [];
  readonly #lookups: LookupPeer[] = [];
  readonly #shared: SharedServer;
  readonly #next: (() => void)[] = [];
  readonly #soon: (() => void)[] = [];
  #weights: number[] = [];
  readonly #operator: Operator;

  constructor(choices: Choices, script: string[] | null) {
    this.choices = choices;
    this.script = script;
    epoch += 1e9;
    this.clock = new Clock(epoch);
    useClock(this.clock);
    this.promises = new PendingPromises(this);
    this.scenario = chooseScenario(choices);
    this.mishaps = {
      time: choices.pick([0, 0, 0, 0.05, 0.3]),
      breaks: choices.pick([0, 0, 0, 0.1, 0.5]),
      operator: choices.pick([0, 0, 0, 0.02, 0.1]),
    };
    this.namesUsers = choices.oneIn(2);
    this.#shared = this.#share();
    this.#operator = new Operator(this, this.sides, this.#shared.lookup, this);
    this.#admit();
  }

  get words(): Directory["words"] {
    return WORDS[this.scenario.protocol.name];
  }

  get ports(): Directory["ports"] {
    return PORTS[this.scenario.protocol.name];
  }

  #share(): SharedServer {
    const { settings, protocol, hasTls, limitsLater, resolves } = this.scenario;
    const transport = new SimTransport(this, () => this.#connectLookup());
    return {
      settings,
      protocol,
      tls: hasTls ? { kind: "server" } : null,
      trusts: () => true,
      resolver: resolves ? clientResolver(this, this.promises) : null,
      lookup: new LookupClient(new HttpEndpoint(transport, { ...settings, tls: null }), settings),
      health: new Health(null, performance, MOST_SERVERS),
      limits: serverLimits(settings),
      limiter: new SimLimiter(counts, limitsLater ? this.promises : null),
      rejections: new RejectionCounts(),
      upstreamTls: { kind: "client" },
    };
  }

  /** A client connects. */
  #admit(): void {
    const number = this.sides.length + 1;
    const upstreams: Upstream[] = [];
    const observer = new Observer(this);
    const transport = new SimTransport(
      this,
      (to) => this.#connectUpstream(to, number, upstreams),
      ({ peer }) => {
        if (peer instanceof Upstream) peer.relaying = true;
      },
    );
    const dialer = direct(
      (to, receiver) => transport.dial(to, receiver),
      hostResolver(this, this.promises),
    );
    const route = this.choices.oneIn(6)
      ? () => this.promises.promise("a route", () => dialer)
      : () => dialer;
    const server: Server = {
      ...this.#shared,
      transport,
      routes: { clear: route, tls: route },
      metrics: observer.metrics as Server["metrics"],
      errorLog: observer.errorLog as Server["errorLog"],
      accessLog: observer.accessLog as Server["accessLog"],
    };
    const connection = this.#connection(
      `client ${number}`,
      { host: "192.0.2.9", port: 50_000 + number },
      (made) => new Client(this, this.scenario, made),
      false,
    );
    const client = connection.peer as Client;
    const writer = new ProgramWriter(this.choices, this.scenario, (method) =>
      this.#newAttempt(client, method),
    );
    client.begin(writer.write());
    const { listen } = this.scenario;
    const session = new Session(server, connection, listen, number, () => this.#sessionEnded(side));
    const began = this.clock.now;
    const side: Side = { client, session, observer, upstreams, began, ended: null, drained: null };
    this.sides.push(side);
    this.trace(() => `${connection.name} connects`);
    session.start();
  }

  #sessionEnded(side: Side): void {
    if (side.ended !== null) this.violation("a session ended twice");
    side.ended = this.clock.now;
  }

  /** Now and then two clients try the same account. */
  #newAttempt(client: Client, method: Attempt["method"]): Attempt {
    const [other] = this.sides;
    const same = other?.client.attempts.find((one) => one.method === method);
    const number = this.#attempts.length;
    const fresh = newAttempt(method, number);
    const isNew = client.attempts.every((one) => one.login !== same?.login);
    const shares = same !== undefined && isNew && this.choices.oneIn(2);
    const { login, secret, refusals } = same ?? fresh;
    const attempt = shares ? { ...fresh, login, secret, refusals } : fresh;
    this.#attempts.push(attempt);
    client.attempts.push(attempt);
    return attempt;
  }

  find(login: string, secret: string): readonly Attempt[] {
    return this.#attempts.filter((one) => one.login === login && one.secret === secret);
  }

  #connection(
    name: string,
    remote: Address,
    peer: (connection: SimConnection) => Peer,
    dialling: boolean,
  ): SimConnection {
    const window = this.choices.oneIn(3) ? 1 + this.choices.below(24) : 65_536;
    const connection = new SimConnection(this, name, remote, peer, window, dialling);
    this.connections.push(connection);
    return connection;
  }

  #connectLookup(): SimConnection {
    const name = `lookup ${this.#lookups.length + 1}`;
    const remote = { host: "127.0.0.1", port: ENDPOINT_PORT };
    const connection = this.#connection(
      name,
      remote,
      (made) => new LookupPeer(this, this, made),
      true,
    );
    this.#lookups.push(connection.peer as LookupPeer);
    return connection;
  }

  #connectUpstream(to: Address, number: number, upstreams: Upstream[]): SimConnection {
    const name = `upstream ${number}.${upstreams.length + 1} (${to.host})`;
    const dialled = this.users.revocations;
    const judge = (login: string, secret: string): void => {
      if (this.users.mayReach(login, secret, dialled)) return;
      this.violation(`"${login}" and "${secret}" are sent to a server without a lookup's yes`);
    };
    const { protocol } = this.scenario;
    const connection = this.#connection(
      name,
      to,
      (made) => new Upstream(this, protocol.name, made, judge),
      true,
    );
    upstreams.push(connection.peer as Upstream);
    if (!this.users.hasGrants && protocol.name !== "smtp") {
      this.violation(`${name} is dialled without a lookup's yes`);
    }
    return connection;
  }

  trace(line: () => string): void {
    if (this.script === null) return;
    const text = line();
    const short = text.length > 120 ? `${text.slice(0, 100)} … ${text.slice(-16)}` : text;
    this.script.push(`${((this.clock.now - epoch) / 1000).toFixed(1).padStart(7)} s  ${short}`);
  }

  violation(promise: string): void {
    this.broken ??= promise;
    // The sessions of this run go on, and must not count in the next.
    counts = new ConnectionCounts();
    this.trace(() => `BROKEN: ${promise}`);
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** @returns false where nothing can happen any more */
  step(): boolean {
    this.#next.length = 0;
    this.#weights.length = 0;
    this.#collect((weight, happen) => {
      if (weight === 0) return;
      this.#weights.push(Math.ceil(weight * 50));
      this.#next.push(happen);
    });
    if (this.#next.length === 0) return false;
    this.#draw()();
    for (let next = this.#soon.shift(); next !== undefined; next = this.#soon.shift()) next();
    return true;
  }

  #collect(add: Add): void {
    for (const connection of this.connections) connection.ownOptions(add);
    this.promises.options(add);
    if (this.quiet) {
      if (this.#next.length === 0 && this.clock.timers > 0) add(1, () => this.#advance());
      return;
    }
    for (const connection of this.connections) connection.peerOptions(add);
    for (const lookup of this.#lookups) lookup.options(add);
    for (const { client, upstreams } of this.sides) {
      client.options(add);
      for (const upstream of upstreams) upstream.options(add);
    }
    // The next timer is due once nothing else can happen. No timer beyond a minute runs while a promise is open.
    const mayWait = this.promises.size === 0 || this.clock.wait <= 60_000;
    const weight = this.#next.length === 0 ? 1 : this.mishaps.time;
    if (this.clock.timers > 0 && mayWait) add(weight, () => this.#advance());
    if (this.sides.length < 2) add(0.1, () => this.#admit());
    this.#operator.options(add);
  }

  #draw(): () => void {
    const total = this.#weights.reduce((sum, weight) => sum + weight, 0);
    let left = this.choices.below(total);
    for (const [index, weight] of this.#weights.entries()) {
      if (left < weight) return this.#next[index]!;
      left -= weight;
    }
    return this.#next.at(-1)!;
  }

  #advance(): void {
    this.clock.advance();
    this.trace(() => "time goes on");
  }

  /** Connections of all limits that are still counted. */
  get held(): number {
    return counts.held;
  }
}
