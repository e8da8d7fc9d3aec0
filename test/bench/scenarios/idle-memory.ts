// Memory that an idle, logged-in session holds.
//
// It is the slope between some sessions and many more: the first ones fill caches and compile code. What V8
// has not yet collected of the logins counts: it may lie there for half a minute, and an operator pays for it.
import { setTimeout as pause } from "node:timers/promises";
import { memory } from "../measure/memory.ts";
import type { Security } from "../processes/client.ts";
import type { Scenario } from "../scenario.ts";

/** How many more sessions, for each ms that there is to look: 3,000 in 400 ms. */
const MANY = 7.5;

export const idleMemory: readonly Scenario[] = [idle("clear", 0.65), idle("tls", 2)];

function idle(security: Security, atMost: number): Scenario {
  return {
    name: security === "clear" ? "memory, idle session" : "memory, idle session, TLS",
    unit: "KiB PSS",
    target: { atMost },
    fresh: true,
    async measure({ load, rival, ms }) {
      const port = rival.doors[security === "clear" ? "imap" : "imaps"];
      const many = Math.round(MANY * ms);
      await load.logIn({ port, protocol: "imap", security }, Math.round(many / 3));
      await pause(ms);
      const before = await memory(rival.pid);
      await load.logIn({ port, protocol: "imap", security }, many);
      await pause(ms);
      return ((await memory(rival.pid)) - before) / many;
    },
  };
}
