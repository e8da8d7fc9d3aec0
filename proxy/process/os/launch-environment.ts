/**
 * How this process was started, as its environment tells: by us, and with which listening sockets
 * (sd_listen_fds(3)); and how it starts its own command again. Nobody else that it starts hears of that.
 */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";

/** Each holds our pid: for the daemon that a command starts, and for the program that takes our place. */
const DAEMON = "POSTERN_DAEMON";
const PREDECESSOR = "POSTERN_PREDECESSOR";

/** systemd's first descriptor. */
const FIRST = 3;

/** The names of descriptors that we pass on. */
const BOUND = "bound";
const LENT = "lent";

/** A listening socket for a process that has not bound it. */
export interface Descriptor {
  readonly fd: number;
  /** Whether whoever bound it keeps it, and the file of a unix socket with it. */
  readonly lent: boolean;
}

const daemon = take(DAEMON);
const predecessor = take(PREDECESSOR);

/** Whether this process is the one in the background. */
export const isDaemon = daemon !== undefined;

/** Whether this process was started to take another one's place. */
export const isSuccessor = predecessor !== undefined;

/** Whether that one is still there. */
export function hasPredecessor(): boolean {
  return isSuccessor && process.ppid === Number(predecessor);
}

/** What this process has inherited. */
export const inherited = descriptors();

function descriptors(): readonly Descriptor[] {
  const [pid, count = "", names = ""] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"].map(take);
  const own = pid === `${process.pid}`;
  // Who starts us cannot know our pid before we are there: of one of us, it is their own.
  const ours = pid !== undefined && (pid === daemon || pid === predecessor);
  if (!(own || ours) || !/^\d{1,5}$/.test(count)) return [];
  const named = names.split(":");
  return Array.from({ length: Number(count) }, (_, index) => ({
    fd: FIRST + index,
    lent: own || named[index] !== BOUND,
  }));
}

function take(name: string): string | undefined {
  const value = process.env[name];
  delete process.env[name];
  return value;
}

/** Starts this command in the background, with a channel to it. */
export function startDaemonProcess(sockets: readonly Descriptor[]): ChildProcess {
  return startAgain({ [DAEMON]: `${process.pid}` }, sockets, {
    detached: true,
    stdio: ["ignore", "ignore", "inherit", ...fds(sockets), "ipc"],
  });
}

/** Starts this command to take our place, and to be in the background if we are. */
export function startSuccessor(sockets: readonly Descriptor[]): ChildProcess {
  const pid = `${process.pid}`;
  return startAgain({ [PREDECESSOR]: pid, ...(isDaemon && { [DAEMON]: pid }) }, sockets, {
    stdio: ["inherit", "inherit", "inherit", ...fds(sockets)],
  });
}

function fds(sockets: readonly Descriptor[]): readonly number[] {
  return sockets.map(({ fd }) => fd);
}

function startAgain(
  marks: Readonly<NodeJS.ProcessEnv>,
  sockets: readonly Descriptor[],
  options: SpawnOptions,
): ChildProcess {
  return spawn(nodePath(), [...process.execArgv, ...process.argv.slice(1)], {
    ...options,
    env: {
      ...process.env,
      ...marks,
      LISTEN_PID: `${process.pid}`,
      LISTEN_FDS: `${sockets.length}`,
      LISTEN_FDNAMES: sockets.map(({ lent }) => (lent ? LENT : BOUND)).join(":"),
    },
  });
}

/** Node, as it was named: behind a symbolic link there may be another version by now. */
export function nodePath(): string {
  return process.argv0.includes("/") ? process.argv0 : process.execPath;
}
