/** All rows, in the order of the table. */
import type { Row } from "../row.ts";
import { bytes } from "./bytes.ts";
import { exchanges } from "./exchanges.ts";
import { idleMemory } from "./idle-memory.ts";
import { sessions } from "./sessions.ts";
import { starts } from "./starts.ts";

export const rows: readonly Row[] = [...sessions, ...bytes, exchanges, ...idleMemory, ...starts];
