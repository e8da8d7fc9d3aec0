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

/** ms: the longest that a timer takes. */
const LONGEST_INTERVAL = 2 ** 31 - 1;

/** Handles signals for as long as the process lives. @param log returns the log in force */
export function handleSignals(
  log: () => ErrorLog,
  handlers: Readonly<Partial<Record<HandledSignal, () => void>>>,
): void {
  // Signal handlers do not keep Node alive, and there are times without workers.
  setInterval(() => {}, LONGEST_INTERVAL);
  for (const [signal, action] of Object.entries(ACTIONS)) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key of the table
    const name = signal as HandledSignal;
    const handle = handlers[name];
    if (handle === undefined) continue;
    process.on(name, () => {
      log().write("notice", `signal ${constants.signals[name]} (${name}) received, ${action}`);
      handle();
    });
  }
}
