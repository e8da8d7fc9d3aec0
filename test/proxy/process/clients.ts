// Clients that connect and leave while an operator is at work.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { type Wire } from "../../support/peers/wire.ts";
import { greeted, untilClosed } from "../../support/peers/mail-client.ts";

/** True where no process listens at the port. */
export async function isRefused(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return false;
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ECONNREFUSED");
    return true;
  } finally {
    socket.destroy();
  }
}

/** Asserts that a logged-in IMAP session still has its mailbox. */
export async function assertAtWork(wire: Wire): Promise<void> {
  wire.write("z NOOP\r\n");
  assert.match(await wire.line(), /^z OK /);
}

/** Logs out and waits for the end of the connection. */
export async function logOut(wire: Wire): Promise<void> {
  wire.write("z LOGOUT\r\n");
  const [bye, ok] = await untilClosed(wire);
  assert.match(`${bye} ${ok}`, /^\* BYE .* z OK /);
}

/** A steady stream of SMTP clients. Each must be greeted, until `stop`. */
export class Stream {
  #over = false;
  greeted = 0;
  readonly #clients: Promise<unknown>;

  constructor(port: number, width: number) {
    this.#clients = Promise.all(Array.from({ length: width }, () => this.#come(port)));
    // `stop` throws the failure.
    this.#clients.catch(() => {});
  }

  async #come(port: number): Promise<void> {
    while (!this.#over) {
      const wire = await greeted("smtp", port);
      this.greeted++;
      wire.end();
      await untilClosed(wire);
    }
  }

  /** Settles once so many clients have been greeted. @throws Error for a client that was not greeted */
  async reaches(count: number): Promise<void> {
    while (this.greeted < count) {
      await Promise.race([this.#clients, new Promise((resolve) => void setImmediate(resolve))]);
    }
  }

  /** @throws Error for a client that was not greeted */
  async stop(): Promise<void> {
    this.#over = true;
    await this.#clients;
  }
}
