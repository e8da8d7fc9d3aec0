// The mail programs, as scenarios use them; they run in their own process.
import { Child } from "./processes/child.ts";
import type { Deed, LoadReply, LoadRequest, Programs } from "./processes/load-messages.ts";

export class Load {
  readonly #child = new Child<LoadRequest, LoadReply>(
    new URL("./processes/load.ts", import.meta.url),
  );

  /** Makes more clients. */
  async open(programs: Programs, count: number): Promise<void> {
    await this.#ask({ kind: "open", programs, count, loggedIn: false });
  }

  /** Makes more clients, and logs them in. */
  async logIn(programs: Programs, count: number): Promise<void> {
    await this.#ask({ kind: "open", programs, count, loggedIn: true });
  }

  run(deed: Deed, ms: number): Promise<LoadReply> {
    return this.#ask({ kind: "run", deed, ms });
  }

  /** Drops all clients. */
  async close(): Promise<void> {
    await this.#ask({ kind: "close" });
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }

  async #ask(request: LoadRequest): Promise<LoadReply> {
    const reply = await this.#child.ask(request);
    if (reply.failure !== undefined) throw new Error(reply.failure);
    return reply;
  }
}
