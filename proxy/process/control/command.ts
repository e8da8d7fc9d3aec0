/** `-s who` and `-s kick`: asks the primary process, and says at the terminal what it has answered. */
import { existsSync } from "node:fs";
import type { Order } from "../../command-line.ts";
import type { ListedSession } from "../../observe/index.ts";
import { json } from "../../observe/sessions-page.ts";
import { say } from "../../report.ts";
import { NO_PID } from "../os/pid-file.ts";
import { AskError, ask } from "./ask.ts";
import type { Kicked } from "./pages.ts";
import { pathBefore, socketPath } from "./path.ts";
import { table } from "./table.ts";

interface Listed {
  readonly sessions: readonly ListedSession[];
  readonly silent: readonly number[];
}

/**
 * @param pid the pid file's path
 * @returns whether every worker has answered; others have been told of
 * @throws AskError; Error where there can be no socket
 */
export async function carryOut(order: Order, pid: string | null): Promise<boolean> {
  if (pid === null) throw new Error(NO_PID);
  return order.word === "who" ? who(pid) : kick(pid, order.user);
}

async function who(pid: string): Promise<boolean> {
  const answers = await askAll<Listed>(pid, "GET", "/sessions");
  const sessions = answers.flatMap((answer) => answer.sessions);
  const { stdout } = process;
  // Whoever reads may have seen enough.
  stdout.on("error", () => {});
  stdout.write(
    stdout.isTTY ? table(sessions) : sessions.map((session) => `${json(session)}\n`).join(""),
  );
  return allAnswered(answers, "its sessions are not listed");
}

async function kick(pid: string, user: string): Promise<boolean> {
  const query = new URLSearchParams({ user }).toString();
  const answers = await askAll<Kicked>(pid, "DELETE", `/sessions?${query}`);
  const ended = answers.reduce((sum, answer) => sum + answer.ended, 0);
  process.stdout.write(`${ended} ${ended === 1 ? "session" : "sessions"} ended\n`);
  return allAnswered(answers, "the user's sessions in it end when it is awake again");
}

/** Both programs, while one takes the other's place. */
async function askAll<Answer>(
  pid: string,
  method: "GET" | "DELETE",
  path: string,
): Promise<readonly Answer[]> {
  const before = pathBefore(pid);
  const said = await Promise.all([
    ask(socketPath(pid), method, path),
    existsSync(before) ? ask(before, method, path).catch(orAlone) : null,
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Postern's own words
  return said.filter((text) => text !== null).map((text) => JSON.parse(text) as Answer);
}

/** The program before has ended, and left its socket. */
function orAlone(error: unknown): null {
  if (error instanceof AskError && error.alone) return null;
  throw error;
}

function allAnswered(
  answers: readonly { readonly silent: readonly number[] }[],
  consequence: string,
): boolean {
  const silent = answers.flatMap((answer) => answer.silent);
  for (const worker of silent) {
    say("warn", `worker process ${worker} does not answer, ${consequence}`);
  }
  return silent.length === 0;
}
