/** The part "load" of `npm run hostile`. */
import { fileURLToPath } from "node:url";
import type { Part } from "../part.ts";
import { LOADS, holdLiveSessions } from "./live-sessions.ts";
import { FACTOR, GROWTH, HEAP_GROWTH } from "./flat.ts";
import { ROWS, runSessions } from "./sessions-in-a-row.ts";

/** The share of the logins a second that must be done in this second or a later one. */
const ENOUGH = 0.98;

/** Git ignores `.state`. */
const RESULTS = fileURLToPath(new URL("../../../.state/hostile", import.meta.url));

export const load: Part = {
  name: "load",
  run: async (length) => {
    const wanted = LOADS[length];
    const held = await holdLiveSessions(wanted, RESULTS);
    // The crowd ends with an error where a session is refused, cut or not answered.
    const isHeld =
      held.heapGrowth <= HEAP_GROWTH &&
      held.growth <= GROWTH &&
      held.slowdown <= FACTOR &&
      held.logins >= ENOUGH * wanted.rate * wanted.seconds;
    const row = await runSessions(ROWS[length]);
    return {
      passed: isHeld && row.passed,
      figures: `${held.figures}; ${row.figures}; drawn in .state/hostile`,
    };
  },
};
