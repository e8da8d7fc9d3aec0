// All that is measured, in the order of the table.
import type { Scenario } from "../scenario.ts";
import { bytes } from "./bytes.ts";
import { exchange } from "./exchange.ts";
import { idleMemory } from "./idle-memory.ts";
import { loginRate, loginTime } from "./logins.ts";
import { sessions } from "./sessions.ts";

export const scenarios: readonly Scenario[] = [
  ...sessions,
  ...bytes,
  exchange,
  ...idleMemory,
  loginRate,
  ...loginTime,
];
