/** Mail clients that work through one port of a proxy. */
import type { NativeProgram } from "../support/programs/native.ts";
import { start } from "./native.ts";
import type { ProtocolName } from "../../shared/lookup.ts";

export type Security = "clear" | "tls" | "resumed";

/** All but `sessions` repeat one thing in sessions that are logged in. */
export type Deed = "sessions" | "exchanges" | "downloads" | "uploads";

export interface Load {
  readonly protocol: ProtocolName;
  readonly security: Security;
  readonly deed: Deed;
  /** Sessions at once. */
  readonly count: number;
}

/** Bytes of one download or upload, as in `native/client.c`. */
export const TRANSFER = 1 << 24;

export interface Work {
  readonly deeds: number;
  readonly ms: number;
  /** TLS handshakes that a ticket made short, and those in which a client offered a ticket. */
  readonly resumed: number;
  readonly offered: number;
}

export class Clients {
  readonly #program: NativeProgram;

  private constructor(program: NativeProgram) {
    this.#program = program;
  }

  /** @param programs the directory of the compiled programs */
  static async open(programs: string, port: number, load: Load): Promise<Clients> {
    const { protocol, security, deed, count } = load;
    const program = start(programs, "client", [port, protocol, security, deed, count]);
    try {
      await program.line();
      return new Clients(program);
    } catch (error) {
      await program.stop();
      throw error;
    }
  }

  async work(ms: number): Promise<Work> {
    const words = (await this.#program.ask(ms)).split(" ").map(Number);
    const [deeds = 0, elapsed = 0, resumed = 0, offered = 0] = words;
    return { deeds, ms: elapsed, resumed, offered };
  }

  close(): Promise<void> {
    return this.#program.stop();
  }
}
