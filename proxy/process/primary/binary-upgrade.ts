/**
 * The change of the program on USR2, as nginx has it: a new primary starts with our listening sockets, and
 * both serve until one of them is told to end. PIDFILE is the new one's, PIDFILE.oldbin ours; where the new
 * one ends first, it is as if it had never been.
 */
import type { ChildProcess } from "node:child_process";
import { renameSync } from "node:fs";
import type { LogLevel } from "../../config/index.ts";
import type { ErrorLog } from "../../observe/index.ts";
import { systemReason } from "../../reason.ts";
import { describeExit } from "../os/exit-status.ts";
import {
  type Descriptor,
  hasPredecessor,
  nodePath,
  startSuccessor,
} from "../os/launch-environment.ts";

export class Succession {
  readonly #log: () => ErrorLog;
  readonly #over: () => void;
  #successor: ChildProcess | null = null;

  /** @param over called when the new one has ended before us */
  constructor(log: () => ErrorLog, over: () => void) {
    this.#log = log;
    this.#over = over;
  }

  get hasSuccessor(): boolean {
    return this.#successor !== null;
  }

  get hasPredecessor(): boolean {
    return hasPredecessor();
  }

  /** Whether another primary has our sockets as well. */
  get isShared(): boolean {
    return this.hasSuccessor || this.hasPredecessor;
  }

  /** Where our pid is to be found. @param path what `pid` says */
  pidFile(path: string | null): string | null {
    return path !== null && this.hasSuccessor ? old(path) : path;
  }

  /** Starts the new one. @param path what `pid` says */
  begin(sockets: readonly Descriptor[], path: string | null): void {
    const obstacle = this.#obstacle();
    if (obstacle !== null) {
      this.#log().write("warn", `${obstacle}, ignoring SIGUSR2`);
      return;
    }
    if (path !== null && !this.#rename(path, old(path), "before executing")) return;
    try {
      this.#follow(startSuccessor(sockets), path);
    } catch (error) {
      this.#end(path, ...failure(error));
    }
  }

  #follow(successor: ChildProcess, path: string | null): void {
    const name = `new binary process ${successor.pid}`;
    this.#successor = successor;
    successor.once("spawn", () => this.#log().write("notice", `start ${name}`));
    successor.once("error", (error) => this.#end(path, ...failure(error)));
    successor.once("exit", (code, signal) => this.#end(path, ...describeExit(name, code, signal)));
  }

  #obstacle(): string | null {
    if (process.pid === 1) return "process 1 of a container ends with it, and cannot be replaced";
    if (this.hasSuccessor) return "the new binary process is running already";
    return this.hasPredecessor ? "the old binary process is still running" : null;
  }

  #end(path: string | null, level: LogLevel, message: string): void {
    this.#successor = null;
    if (path !== null) this.#rename(old(path), path, "after the end of");
    this.#log().write(level, message);
    this.#over();
  }

  /** @returns whether it could be done; if not, it is in the log */
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

function old(pidFile: string): string {
  return `${pidFile}.oldbin`;
}

function failure(error: unknown): readonly [level: LogLevel, message: string] {
  const call = `execve() failed while executing new binary process "${nodePath()}"`;
  return ["alert", `${call} (${systemReason(error)})`];
}
