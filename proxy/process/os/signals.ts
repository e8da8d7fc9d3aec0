/** Signals to the primary process, logged in nginx's words. nginx names the sender too, which Node does not know. */
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

type HandledSignal = keyof typeof ACTIONS;

/** @param log returns the log in force */
export function handleSignal(signal: HandledSignal, log: () => ErrorLog, handle: () => void): void {
  process.on(signal, () => {
    const number = constants.signals[signal];
    log().write("notice", `signal ${number} (${signal}) received, ${ACTIONS[signal]}`);
    handle();
  });
}
