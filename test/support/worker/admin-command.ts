/** `npm run admin -- …`, as a person runs it, against a worker in Miniflare. */
import { fileURLToPath } from "node:url";
import { BOOTSTRAP_SECRET } from "./admin.ts";
import { compileCache } from "../programs/compile-cache.ts";
import { type End, run } from "../programs/program.ts";
import { type RunningWorker, type StartOptions, startWorker } from "./worker.ts";

export const COMMAND = fileURLToPath(
  new URL("../../../worker/admin/client/main.ts", import.meta.url),
);

export interface AdminCommand {
  readonly worker: RunningWorker;
  /** Runs it with the first token. */
  run(args: readonly string[], input?: string): Promise<Ran>;
  /** The environment of `run`. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs it with these variables in the environment and no others. */
  runWith(env: NodeJS.ProcessEnv, args: readonly string[], input?: string): Promise<Ran>;
}

interface Ran {
  readonly end: End;
  readonly stdout: string;
  readonly stderr: string;
}

export async function startAdminCommand(options: StartOptions = {}): Promise<AdminCommand> {
  const vars = { ...options.vars, ADMIN_BOOTSTRAP: BOOTSTRAP_SECRET };
  const worker = await startWorker({ ...options, vars });
  const runWith = (env: NodeJS.ProcessEnv, args: readonly string[], input = "") =>
    run(process.execPath, [COMMAND, ...args], { env, input });
  const url = { POSTERN_ADMIN_URL: worker.url, NODE_COMPILE_CACHE: compileCache };
  const made = await runWith({ ...url, POSTERN_ADMIN_TOKEN: BOOTSTRAP_SECRET }, ["bootstrap"]);
  const env = { ...url, POSTERN_ADMIN_TOKEN: made.stdout.trim() };
  return { worker, env, run: (args, input) => runWith(env, args, input), runWith };
}
