/**
 * The way in which this process was started, by its environment: as a daemon, for a binary upgrade, and with which listening
 * sockets (sd_listen_fds(3)). The variables are removed, so that no other child process sees them.
 */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";

/** Each variable holds the pid of the process that has started this one. */
const DAEMON = "POSTERN_DAEMON";
const OLD_PRIMARY = "POSTERN_PREDECESSOR";

/** systemd's first descriptor. */
const FIRST = 3;

/** Names of the descriptors that we pass on. */
const BOUND = "bound";
const LENT = "lent";

/** A listening socket that another process has bound. */
export interface Descriptor {
  readonly fd: number;
  /** True where the process that has bound the socket keeps it, and the file of a unix socket with it. */
  readonly lent: boolean;
}

const daemon = takeVariable(DAEMON);
const oldPrimary = takeVariable(OLD_PRIMARY);

/** True in the background process of `daemon on`. */
export const isDaemon = daemon !== undefined;

/** True in a new primary, which takes over in a binary upgrade. */
export const isUpgrade = oldPrimary !== undefined;

/** True while the primary that has started this one runs. */
export function hasOldPrimary(): boolean {
  return isUpgrade && process.ppid === Number(oldPrimary);
}

export const inherited = descriptors();

function descriptors(): readonly Descriptor[] {
  const [pid, count = "", names = ""] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"].map(
    takeVariable,
  );
  const isOwnPid = pid === `${process.pid}`;
  // A Postern that starts another one cannot know the pid beforehand, and gives its own.
  const isParent = pid !== undefined && (pid === daemon || pid === oldPrimary);
  if (!(isOwnPid || isParent) || !/^\d{1,5}$/.test(count)) return [];
  const named = names.split(":");
  return Array.from({ length: Number(count) }, (_, index) => ({
    fd: FIRST + index,
    lent: isOwnPid || named[index] !== BOUND,
  }));
}

function takeVariable(name: string): string | undefined {
  const value = process.env[name];
  delete process.env[name];
  return value;
}

/** Starts this command again in the background, with a channel to it. */
export function startDaemonProcess(sockets: readonly Descriptor[]): ChildProcess {
  return startAgain({ [DAEMON]: `${process.pid}` }, sockets, {
    detached: true,
    stdio: ["ignore", "ignore", "inherit", ...fds(sockets), "ipc"],
  });
}

/** Starts this command again for a binary upgrade. Where this process is a daemon, the new one is too. */
export function startNewPrimary(sockets: readonly Descriptor[]): ChildProcess {
  const pid = `${process.pid}`;
  return startAgain({ [OLD_PRIMARY]: pid, ...(isDaemon && { [DAEMON]: pid }) }, sockets, {
    stdio: ["inherit", "inherit", "inherit", ...fds(sockets)],
  });
}

function fds(sockets: readonly Descriptor[]): readonly number[] {
  return sockets.map(({ fd }) => fd);
}

function startAgain(
  variables: Readonly<NodeJS.ProcessEnv>,
  sockets: readonly Descriptor[],
  options: SpawnOptions,
): ChildProcess {
  return spawn(nodePath(), [...process.execArgv, ...process.argv.slice(1)], {
    ...options,
    env: {
      ...process.env,
      ...variables,
      LISTEN_PID: `${process.pid}`,
      LISTEN_FDS: `${sockets.length}`,
      LISTEN_FDNAMES: sockets.map(({ lent }) => (lent ? LENT : BOUND)).join(":"),
    },
  });
}

/** Node by the name of the command line: behind a symbolic link there may be another version by now. */
export function nodePath(): string {
  return process.argv0.includes("/") ? process.argv0 : process.execPath;
}
