/** What the control socket answers: who is there, and how a user is made to go. */
import { encoded } from "../../bytes.ts";
import { type Pages, text } from "../../observe/page-server.ts";
import { sessionsPage } from "../../observe/sessions-page.ts";
import type { Sessions } from "./sessions.ts";

/** What comes of a kick. */
export interface Kicked {
  readonly ended: number;
  /** Pids of workers that have not answered. */
  readonly silent: readonly number[];
}

export function controlPages(sessions: Sessions): Pages {
  return {
    "/sessions": {
      GET: () => sessionsPage((silent) => sessions.list(silent)),
      DELETE: async (_, query) => {
        const user = query.get("user") ?? "";
        if (user === "") return text(400, "whose sessions? the name is missing: ?user=NAME\n");
        const silent: number[] = [];
        const ended = await sessions.kick(encoded(user), (pid) => silent.push(pid));
        const kicked: Kicked = { ended, silent };
        return { code: 200, type: "application/json", body: `${JSON.stringify(kicked)}\n` };
      },
    },
  };
}
