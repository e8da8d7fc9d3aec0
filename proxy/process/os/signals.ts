/** Signals to the process that is in charge, noted in nginx's words. (Node does not know who sent them.) */
import { constants } from "node:os";
import type { ErrorLog } from "../../observe/index.ts";

const ACTIONS = {
  SIGTERM: "exiting",
  SIGINT: "exiting",
  SIGQUIT: "shutting down",
  SIGHUP: "reconfiguring",
  SIGUSR1: "reopening logs",
  SIGUSR2: "changing binary",
  SIGWINCH: "stop accepting connections",
} as const satisfies Partial<Record<NodeJS.Signals, string>>;

type Obeyed = keyof typeof ACTIONS;

/** @param log the one that there is when the signal comes */
export function obey(signal: Obeyed, log: () => ErrorLog, work: () => void): void {
  process.on(signal, () => {
    const number = constants.signals[signal];
    log().write("notice", `signal ${number} (${signal}) received, ${ACTIONS[signal]}`);
    work();
  });
}
