// Runs a program beside a test or the demo, and collects its output.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accepting } from "./ports.ts";
import { assertTellsNoSecret } from "../secrets.ts";
import { watchChildren } from "./watchdog.ts";

watchChildren();

/** An exit code, or the signal that ended it. */
export type End = number | NodeJS.Signals;

export type ProgramOptions = {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Written to its standard input, which is empty otherwise. */
  readonly input?: string;
  /** Descriptors of this process that it inherits, from 3 on. */
  readonly descriptors?: readonly number[];
};

export class Program {
  readonly #name: string;
  readonly #child: ChildProcess;
  /** Its output so far. */
  stdout = "";
  stderr = "";
  /** Settles when it has ended and its output is complete; rejects where the output of Postern holds a secret. */
  readonly ended: Promise<End>;

  constructor(command: string, args: readonly string[], options: ProgramOptions = {}) {
    const { cwd, env, input, descriptors = [] } = options;
    this.#name = command;
    this.#child = spawn(command, args, {
      cwd,
      env,
      stdio: ["pipe", "pipe", "pipe", ...descriptors],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    // Many tests may wait for its output at once.
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.setMaxListeners(0);
    // The program may end without reading its input.
    this.#child.stdin?.on("error", () => {}).end(input ?? "");
    this.ended = this.#end();
    // A rejection is reported where `ended` is awaited.
    this.ended.catch(() => {});
  }

  /** Waits until it accepts connections on all ports; its early end is an error with its last words. */
  async listening(ports: readonly number[]): Promise<void> {
    const giveUp = new AbortController();
    const died = this.ended.then((end) => {
      throw new Error(`${this.#name} ended (${end}): ${this.lastLines()}`);
    });
    // The program may end after it has listened.
    died.catch(() => {});
    try {
      await Promise.race([died, Promise.all(ports.map((port) => accepting(port, giveUp.signal)))]);
    } finally {
      giveUp.abort();
    }
  }

  /** Waits until its standard output holds the text; its early end is an error as well. */
  async says(text: string | RegExp): Promise<void> {
    const isSaid = () =>
      typeof text === "string" ? this.stdout.includes(text) : text.test(this.stdout);
    await this.#until("stdout", String(text), isSaid);
  }

  /** Likewise until its standard error matches so many times; returns all matches. */
  async logs(pattern: RegExp, times = 1): Promise<RegExpMatchArray[]> {
    const every = new RegExp(pattern.source, "gm");
    const matches = () => [...this.stderr.matchAll(every)];
    await this.#until("stderr", pattern.source, () => matches().length >= times);
    return matches();
  }

  /** Stops reading its standard output. */
  pause(): void {
    this.#child.stdout?.pause();
  }

  resume(): void {
    this.#child.stdout?.resume();
  }

  /** Copies its standard error to the stream from now on. */
  echo(stream: NodeJS.WritableStream): void {
    this.#child.stderr?.pipe(stream, { end: false });
  }

  lastLines(lines = 5): string {
    return `${this.stdout}${this.stderr}`.trim().split("\n").slice(-lines).join("\n");
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it and waits until it has. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<End> {
    this.signal(signal);
    return this.ended;
  }

  async #until(name: "stdout" | "stderr", what: string, done: () => boolean): Promise<void> {
    const stream = this.#child[name];
    while (!done()) {
      if (!stream || stream.readableEnded) throw new Error(`no "${what}" in: ${this.lastLines()}`);
      const waiting = new AbortController();
      const { signal } = waiting;
      await Promise.race([once(stream, "data", { signal }), once(stream, "end", { signal })]);
      waiting.abort();
    }
  }

  async #end(): Promise<End> {
    const end = await this.#close();
    // Only the output of Postern is checked: other programs may print passwords.
    if (this.#name === process.execPath) {
      assertTellsNoSecret("standard output", this.stdout);
      assertTellsNoSecret("standard error", this.stderr);
    }
    return end;
  }

  async #close(): Promise<End> {
    try {
      const [code, signal] = (await once(this.#child, "close")) as [number | null, NodeJS.Signals];
      return code ?? signal;
    } catch (error) {
      this.stderr += (error as Error).message;
      return 127;
    }
  }
}

/** Runs a program to its end. */
export async function run(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<{ end: End; stdout: string; stderr: string }> {
  const program = new Program(command, args, options);
  const end = await program.ended;
  return { end, stdout: program.stdout, stderr: program.stderr };
}
