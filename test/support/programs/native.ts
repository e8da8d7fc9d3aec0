/** Compiles the C programs of tests and benchmarks, and speaks with the running ones by lines. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { watchChildren } from "./watchdog.ts";

watchChildren();

/**
 * @param program the path of the program to write
 * @param sources the paths of its C files
 * @param libraries options of the linker
 * @throws Error that says what is missing
 */
export function compile(
  program: string,
  sources: readonly string[],
  libraries: readonly string[] = [],
): void {
  const args = ["-O2", "-Wall", "-Wextra", "-o", program, ...sources, ...libraries];
  const { error, status, stderr } = spawnSync("gcc", args, { encoding: "utf8" });
  if (error === undefined && status === 0) return;
  throw new Error(
    `${basename(program)} does not compile; install gcc, libc6-dev and libssl-dev: ${error?.message ?? stderr}`,
  );
}

/** A running program that answers lines with lines, and ends with its standard input. */
export class NativeProgram {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(program: string, args: readonly (string | number)[]) {
    this.#name = basename(program);
    this.#child = spawn(program, args.map(String), {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child.stdin?.on("error", () => {});
    const { stdout } = this.#child;
    if (stdout === null) throw new Error("the program has no standard output");
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** @throws Error where the program ends instead */
  async line(): Promise<string> {
    const { done, value } = await this.#lines.next();
    if (done === true) throw new Error(`the ${this.#name} program has ended`);
    return value;
  }

  ask(question: string | number): Promise<string> {
    this.#child.stdin?.write(`${question}\n`);
    return this.line();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    this.#child.stdin?.end();
    await once(this.#child, "exit");
  }
}
