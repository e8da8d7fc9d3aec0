/**
 * The binary upgrade on USR2, as in nginx: a new primary starts with our listening sockets, and both serve until
 * one of them is told to end. The new primary has PIDFILE, and this one PIDFILE.oldbin. Where the new one ends
 * first, this one has PIDFILE again.
 */
import type { ChildProcess } from "node:child_process";
import { renameSync } from "node:fs";
import type { LogLevel } from "../../config/index.ts";
import type { ErrorLog } from "../../observe/index.ts";
import { systemReason } from "../../reason.ts";
import { describeExit } from "../os/exit-status.ts";
import {
  type Descriptor,
  hasOldPrimary,
  nodePath,
  startNewPrimary,
} from "../os/launch-environment.ts";
import type { PeerPrimaries } from "./listening-sockets.ts";

export class BinaryUpgrade implements PeerPrimaries {
  readonly #log: () => ErrorLog;
  readonly #failed: () => void;
  #new: ChildProcess | null = null;

  /**
   * @param log returns the log in force
   * @param failed hears that the new primary has ended before this one
   */
  constructor(log: () => ErrorLog, failed: () => void) {
    this.#log = log;
    this.#failed = failed;
  }

  get hasNew(): boolean {
    return this.#new !== null;
  }

  get hasOld(): boolean {
    return hasOldPrimary();
  }

  /** True while another primary has our sockets as well. */
  get isRunning(): boolean {
    return this.hasNew || this.hasOld;
  }

  /** The file that holds our pid now. @param path of the `pid` directive */
  pidFile(path: string | null): string | null {
    return path !== null && this.hasNew ? oldPidFile(path) : path;
  }

  /** Starts the new primary. @param path of the `pid` directive */
  start(sockets: readonly Descriptor[], path: string | null): void {
    const obstacle = this.#obstacle();
    if (obstacle !== null) {
      this.#log().write("warn", `${obstacle}, ignoring SIGUSR2`);
      return;
    }
    if (path !== null && !this.#rename(path, oldPidFile(path), "before executing")) return;
    try {
      this.#watch(startNewPrimary(sockets), path);
    } catch (error) {
      this.#end(path, ...startFailure(error));
    }
  }

  #watch(primary: ChildProcess, path: string | null): void {
    const name = `new binary process ${primary.pid}`;
    this.#new = primary;
    primary.once("spawn", () => this.#log().write("notice", `start ${name}`));
    primary.once("error", (error) => this.#end(path, ...startFailure(error)));
    primary.once("exit", (code, signal) => this.#end(path, ...describeExit(name, code, signal)));
  }

  #obstacle(): string | null {
    if (process.pid === 1)
      return "process 1 of a container cannot be replaced, since the container ends with it";
    if (this.hasNew) return "the new binary process is running already";
    return this.hasOld ? "the old binary process is still running" : null;
  }

  #end(path: string | null, level: LogLevel, message: string): void {
    this.#new = null;
    if (path !== null) this.#rename(oldPidFile(path), path, "after the end of");
    this.#log().write(level, message);
    this.#failed();
  }

  /** @returns false for a failure, which is in the log */
  #rename(from: string, to: string, when: string): boolean {
    try {
      renameSync(from, to);
      return true;
    } catch (error) {
      const what = `rename() ${from} to ${to} failed ${when} new binary process "${nodePath()}"`;
      this.#log().write("alert", `${what} (${systemReason(error)})`);
      return false;
    }
  }
}

function oldPidFile(pidFile: string): string {
  return `${pidFile}.oldbin`;
}

function startFailure(error: unknown): readonly [level: LogLevel, message: string] {
  const call = `execve() failed while executing new binary process "${nodePath()}"`;
  return ["alert", `${call} (${systemReason(error)})`];
}
