/** The heap and the descriptors of Postern's workers, as the processes themselves see them. */
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../support/eventually.ts";

export interface Held {
  /** Bytes after a collection, outside and inside of V8's heap. */
  readonly heap: number;
  readonly descriptors: number;
}

/** Loaded into each process. A worker that gets SIGPWR collects its garbage and writes what it holds. */
const script = (folder: string): string => `
import cluster from "node:cluster";
import { readdirSync, renameSync, writeFileSync } from "node:fs";
if (cluster.isWorker) process.on("SIGPWR", () => {
  for (let turn = 0; turn < 4; turn++) gc();
  const { heapUsed, external } = process.memoryUsage();
  const descriptors = readdirSync("/proc/self/fd").length;
  const file = ${JSON.stringify(folder)} + "/" + process.pid;
  writeFileSync(file + ".new", JSON.stringify({ heap: heapUsed + external, descriptors }));
  renameSync(file + ".new", file);
});`;

export class Probe {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Sets NODE_OPTIONS, for programs that are started from now on. */
  static async install(directory: string): Promise<Probe> {
    const folder = join(directory, "probe");
    await mkdir(folder);
    // Workers run as another user.
    await chmod(folder, 0o777);
    const file = join(directory, "probe.mjs");
    await writeFile(file, script(folder));
    process.env["NODE_OPTIONS"] = `--expose-gc --import ${file}`;
    return new Probe(folder);
  }

  uninstall(): void {
    delete process.env["NODE_OPTIONS"];
  }

  /** The sums over these workers. */
  async ask(workers: readonly number[]): Promise<Held> {
    let [heap, descriptors] = [0, 0];
    for (const pid of workers) {
      const file = join(this.#folder, String(pid));
      await rm(file, { force: true });
      process.kill(pid, "SIGPWR");
      const held = await eventually(`worker ${pid} tells what it holds`, async () => {
        const text = await readFile(file, "utf8").catch(() => null);
        return text !== null && (JSON.parse(text) as Held);
      });
      heap += held.heap;
      descriptors += held.descriptors;
    }
    return { heap, descriptors };
  }
}
