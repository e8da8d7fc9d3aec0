// How many logins, and how long one takes.
import { median } from "../measure/median.ts";
import type { Door } from "../configuration.ts";
import type { Scenario } from "../scenario.ts";

export const loginRate: Scenario = {
  name: "logins under TLS, 64 at once",
  unit: "a second",
  target: { atLeast: 2 },
  async measure({ load, rival, ms }) {
    await load.open({ port: rival.doors.imaps, protocol: "imap", security: "tls" }, 64);
    const { deeds, elapsed } = await load.run("session", ms);
    return (deeds * 1000) / elapsed;
  },
};

export const loginTime: readonly Scenario[] = [
  farLogin("imapFar", "clear", 0.55),
  farLogin("imapsFar", "tls", 0.2),
];

/** From the connect to the login's yes, eight at once, with the lookup endpoint a round trip of 20 ms away. */
function farLogin(door: Door, security: "clear" | "tls", atMost: number): Scenario {
  return {
    name: `login time, endpoint 20 ms away${security === "clear" ? "" : ", TLS"}`,
    unit: "ms, p50",
    target: { atMost },
    async measure({ load, rival, ms }) {
      await load.open({ port: rival.doors[door], protocol: "imap", security }, 8);
      return median((await load.run("session", ms)).logins);
    },
  };
}
