// What can go wrong with `npm start`, in the words its user reads.
import type { Program } from "../support/program.ts";

/** Why the demo cannot run: one sentence, with what to do about it. */
export class Failure extends Error {
  override name = "Failure";
}

export function notInstalled(error: Error): never {
  const [missing] = error.message.split(" imported from ");
  throw new Failure(`${missing}; install it with: npm install`, { cause: error });
}

export function proxyEnded(program: Program): Failure {
  return new Failure(`the proxy has ended, and its last words were:\n${program.lastWords()}`);
}
