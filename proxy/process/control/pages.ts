/** The pages of the control socket: the list of sessions, and the end of a user's sessions. */
import { type Pages, text } from "../../observe/pages/page-server.ts";
import { sessionsPage } from "../../observe/pages/sessions-page.ts";
import type { Sessions } from "./sessions.ts";

/** The reply to a kick. */
export interface Kicked {
  readonly ended: number;
  /** Pids of workers that have not replied. */
  readonly silent: readonly number[];
}

export function controlPages(sessions: Sessions): Pages {
  return {
    "/sessions": {
      GET: () => sessionsPage((silent) => sessions.list(silent)),
      DELETE: async (_, query) => {
        const user = query.get("user") ?? "";
        if (user === "") return text(400, "the name of the user is missing: ?user=NAME\n");
        const silent: number[] = [];
        const kick = { names: [user], user: null, bookmark: null };
        const ended = await sessions.kick([kick], (pid) => silent.push(pid));
        const kicked: Kicked = { ended, silent };
        return { code: 200, type: "application/json", body: `${JSON.stringify(kicked)}\n` };
      },
    },
  };
}
