// One client's connection: who it is, what it has selected, and what each command does.
import type { Inbox, Store } from "../store.ts";
import type { Listener } from "../listener.ts";
import type { Wire } from "../../wire.ts";
import type { Argument } from "./syntax.ts";
import type { View } from "./view.ts";

export type Session = {
  readonly wire: Wire;
  readonly store: Store;
  readonly listener: Listener;
  /** Set by a login. */
  inbox?: Inbox;
  /** Set while a mailbox is selected. */
  view?: View | undefined;
  over: boolean;
};

/** Does one command and returns its completion, such as `OK done`. Untagged lines it writes itself. */
export type Handler = (session: Session, args: readonly Argument[]) => string | Promise<string>;

export type Commands = Record<string, Handler>;
