// What stands behind the rivals: one lookup endpoint, one upstream and one name server, for all scripts at once. Each session's
// client has an address of its own: by it its lookups are known, and its upstream is at that address, too.
import type { Socket } from "node:net";
import { never } from "../../support/lookup-endpoint.ts";
import { Listener } from "../../support/mailbox/listener.ts";
import { type NameServer, startNameServer } from "../../support/name-server.ts";
import { run, Wire } from "../../support/wire.ts";
import { lines } from "./client.ts";
import { type Script, yes } from "./script.ts";
import { records } from "./topics/hosts.ts";
import { serve } from "./upstream.ts";

/** Addresses that are given to sessions. */
const OURS = /\b127\.[1-9]\d*\.\d+\.\d+\b/;

/** What one session causes behind the proxy. */
class Scene {
  readonly address: string;
  readonly #script: Script;
  readonly #connections: { bytes: string; readonly closed: Promise<void> }[] = [];
  /** The lines of each request. */
  readonly lookups: string[][] = [];

  constructor(address: string, script: Script) {
    this.address = address;
    this.#script = script;
  }

  answer(request: string): string {
    this.lookups.push(lines("", request));
    const answers = this.#script.lookup ?? [yes()];
    return answers[this.lookups.length - 1] ?? answers.at(-1) ?? yes();
  }

  connected(socket: Socket): void {
    const closed = new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
    });
    const connection = { bytes: "", closed };
    this.#connections.push(connection);
    const wire = new Wire(socket);
    socket.on("data", (text: string) => (connection.bytes += text));
    run(wire, () => serve(wire, this.#script.server.protocol, this.#script.upstream ?? {}));
  }

  /** The lines that each connection brought, once all have been closed. */
  async upstreams(): Promise<string[][]> {
    await Promise.all(this.#connections.map(({ closed }) => closed));
    return this.#connections.map(({ bytes }) => lines("", bytes));
  }
}

export type { Scene };

export class Backstage {
  readonly #scenes = new Map<string, Scene>();
  readonly #upstream = new Listener("0.0.0.0");
  readonly #endpoint = new Listener("127.0.0.1");
  #nameServer: NameServer | null = null;
  #sessions = 0;

  async open(): Promise<void> {
    this.#upstream.on("connection", (socket) => {
      this.#scenes.get(socket.localAddress ?? "")?.connected(socket);
    });
    this.#endpoint.on("connection", (socket) => this.#asked(socket));
    await this.#upstream.listen(0);
    await this.#endpoint.listen(0);
    this.#nameServer = await startNameServer(records);
  }

  /** For `auth_http`. */
  get authHttp(): string {
    return `http://127.0.0.1:${this.#endpoint.port}/auth`;
  }

  /** For `resolver`. */
  get nameServer(): string {
    return this.#nameServer?.address ?? "";
  }

  enter(script: Script): Scene {
    const number = this.#sessions++;
    const address = `127.${1 + (number >> 14)}.${(number >> 7) & 127}.${1 + (number & 127)}`;
    const scene = new Scene(address, script);
    this.#scenes.set(address, scene);
    return scene;
  }

  leave(scene: Scene): void {
    this.#scenes.delete(scene.address);
  }

  async close(): Promise<void> {
    await this.#upstream.close();
    await this.#endpoint.close();
    await this.#nameServer?.close();
  }

  /** Answers lookups. Without a Content-Length the connection's end is that of the answer. */
  #asked(socket: Socket): void {
    const wire = new Wire(socket);
    let held = "";
    socket.on("data", (text: string) => (held += text));
    run(wire, async () => {
      for (let more = true; more;) {
        while ((await wire.line()) !== "");
        const length = held.indexOf("\n\r\n") + 3;
        const answer = await this.#answer(held.slice(0, length));
        held = held.slice(length);
        wire.write(answer);
        more = /^content-length:/im.test(answer);
      }
    });
  }

  #answer(request: string): string | Promise<string> {
    const [, headers = ""] = /^Host: [^\n]*\n([^]*)/m.exec(request) ?? [];
    const scene = this.#scenes.get(OURS.exec(headers)?.[0] ?? "");
    if (scene === undefined) throw new Error(`whose lookup is this? ${request}`);
    const answer = scene.answer(request);
    if (answer === "") return never();
    return answer
      .replaceAll("UPSTREAM_HOST", scene.address)
      .replaceAll("UPSTREAM_PORT", `${this.#upstream.port}`);
  }
}
