// CPU time of a small exchange: a line there and a line back.
import { cost } from "../measure/cost.ts";
import type { Scenario } from "../scenario.ts";

const SESSIONS = 64;

export const exchange: Scenario = {
  name: `small exchange, ${SESSIONS} at once`,
  unit: "µs CPU",
  target: { atMost: 1.45 },
  async measure(round) {
    const { load, rival } = round;
    await load.logIn({ port: rival.doors.imap, protocol: "imap", security: "clear" }, SESSIONS);
    return cost(round, "exchange");
  },
};
