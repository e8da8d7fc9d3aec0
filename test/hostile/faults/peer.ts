/** A process that Postern depends on, which can be killed and started again on the same ports. */
import { fileURLToPath } from "node:url";
import { Program } from "../../support/programs/program.ts";

export class Peer {
  readonly #args: readonly string[];
  readonly #heard: (line: string) => void;
  #program: Program;

  private constructor(args: readonly string[], heard: (line: string) => void) {
    this.#args = args;
    this.#heard = heard;
    this.#program = new Program(process.execPath, args);
  }

  /**
   * @param script of this folder; prints `ready` when it listens
   * @param heard is told each other line that the process has printed when it ends
   */
  static async start(
    script: string,
    args: readonly (string | number)[],
    heard: (line: string) => void = () => {},
  ): Promise<Peer> {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const peer = new Peer([path, ...args.map(String)], heard);
    await peer.#program.says("ready\n");
    return peer;
  }

  signal(signal: NodeJS.Signals): void {
    this.#program.signal(signal);
  }

  async kill(): Promise<void> {
    await this.#program.stop("SIGKILL");
    for (const line of this.#program.stdout.split("\n")) {
      if (line !== "" && line !== "ready") this.#heard(line);
    }
  }

  /** After `kill`. */
  async restart(): Promise<void> {
    this.#program = new Program(process.execPath, this.#args);
    await this.#program.says("ready\n");
  }
}
