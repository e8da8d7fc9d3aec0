/** `-s who` and `-s kick`: sends a request to the primary process, and writes its reply to the terminal. */
import { existsSync } from "node:fs";
import type { ListedSession } from "../../observe/index.ts";
import { json } from "../../observe/pages/sessions-page.ts";
import { say } from "../../report.ts";
import { NO_PID } from "../os/pid-file.ts";
import { AskError, ask } from "./ask.ts";
import type { Kicked } from "./pages.ts";
import { oldSocketPath, socketPath } from "./path.ts";
import { table } from "./table.ts";

/** The words of `-s` that nginx does not have. */
export type Order = { readonly word: "who" } | { readonly word: "kick"; readonly user: string };

interface Listed {
  readonly sessions: readonly ListedSession[];
  readonly silent: readonly number[];
}

/**
 * @param pid path of the pid file
 * @returns false where a worker has not replied; a warning has named it
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
  // A reader such as `head` may close the pipe early.
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
  return allAnswered(answers, "it ends the user's sessions as soon as it can");
}

/** During a binary upgrade, both primaries are asked. */
async function askAll<Answer>(
  pid: string,
  method: "GET" | "DELETE",
  path: string,
): Promise<readonly Answer[]> {
  const old = oldSocketPath(pid);
  const said = await Promise.all([
    ask(socketPath(pid), method, path),
    existsSync(old) ? ask(old, method, path).catch(nullIfAbsent) : null,
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are Postern's
  return said.filter((text) => text !== null).map((text) => JSON.parse(text) as Answer);
}

/** A primary that was killed leaves its socket. */
function nullIfAbsent(error: unknown): null {
  if (error instanceof AskError && error.isAbsent) return null;
  throw error;
}

function allAnswered(
  answers: readonly { readonly silent: readonly number[] }[],
  consequence: string,
): boolean {
  const silent = answers.flatMap((answer) => answer.silent);
  for (const worker of silent) {
    say("warn", `worker process ${worker} does not reply, ${consequence}`);
  }
  return silent.length === 0;
}
