// Failures of `npm start`, as its user reads them.
import type { Program } from "../support/programs/program.ts";

/** One sentence that says why the demo cannot run and what to do about it. */
export class Failure extends Error {
  override name = "Failure";
}

export function notInstalled(error: Error): never {
  const [missing] = error.message.split(" imported from ");
  throw new Failure(`${missing}; install it with: npm ci`, { cause: error });
}

export function proxyEnded(program: Program): Failure {
  return new Failure(`the proxy has ended; the end of its output:\n${program.lastLines()}`);
}
