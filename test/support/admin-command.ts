/** `npm run admin -- …`, as a person runs it, against a worker in Miniflare. */
import { fileURLToPath } from "node:url";
import { BOOTSTRAP_SECRET } from "./admin.ts";
import { type End, run } from "./program.ts";
import { type RunningWorker, type StartOptions, startWorker } from "./worker.ts";

const COMMAND = fileURLToPath(new URL("../../worker/admin/client/main.ts", import.meta.url));

export interface AdminCommand {
  readonly worker: RunningWorker;
  /** Runs it with the first token. */
  run(args: readonly string[], input?: string): Promise<Ran>;
  /** Runs it with these variables in the environment and no others. */
  runWith(env: NodeJS.ProcessEnv, args: readonly string[], input?: string): Promise<Ran>;
}

interface Ran {
  readonly end: End;
  readonly stdout: string;
  readonly stderr: string;
}

export async function startAdminCommand(options: StartOptions = {}): Promise<AdminCommand> {
  const worker = await startWorker({ ...options, vars: { ADMIN_BOOTSTRAP: BOOTSTRAP_SECRET } });
  const runWith = (env: NodeJS.ProcessEnv, args: readonly string[], input = "") =>
    run(process.execPath, [COMMAND, ...args], { env, input });
  const url = { POSTERN_ADMIN_URL: worker.url };
  const made = await runWith({ ...url, POSTERN_ADMIN_TOKEN: BOOTSTRAP_SECRET }, ["bootstrap"]);
  const env = { ...url, POSTERN_ADMIN_TOKEN: made.stdout.trim() };
  return { worker, run: (args, input) => runWith(env, args, input), runWith };
}
