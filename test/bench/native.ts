/** Compiles the C programs of the benchmark, and speaks with the running ones by lines. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { watchChildren } from "../support/watchdog.ts";

watchChildren();

const SOURCES = fileURLToPath(new URL("native/", import.meta.url));

const PROGRAMS = {
  upstream: { sources: ["upstream.c", "loopback.c"], libraries: [] },
  client: { sources: ["client.c", "stream.c", "loopback.c"], libraries: ["-lssl", "-lcrypto"] },
} as const;

/** @throws Error that says what is missing */
export function compile(directory: string): void {
  for (const [name, { sources, libraries }] of Object.entries(PROGRAMS)) {
    const files = sources.map((file) => join(SOURCES, file));
    const args = ["-O2", "-o", join(directory, name), ...files, ...libraries];
    const { error, status, stderr } = spawnSync("gcc", args, { encoding: "utf8" });
    if (error === undefined && status === 0) continue;
    throw new Error(
      `the load programs do not compile; install gcc, libc6-dev and libssl-dev: ${error?.message ?? stderr}`,
    );
  }
}

/** A running program that answers lines with lines, and ends with its standard input. */
export class NativeProgram {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(directory: string, name: keyof typeof PROGRAMS, args: readonly (string | number)[]) {
    this.#name = name;
    this.#child = spawn(join(directory, name), args.map(String), {
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

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    this.#child.stdin?.end();
    await once(this.#child, "exit");
  }
}
