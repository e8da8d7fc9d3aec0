import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { UsageError } from "./errors.ts";

/**
 * Reads a line from the standard input; on a terminal it is asked for twice, and not shown.
 *
 * @param what it is: `password`
 * @throws UsageError if there is none, or if it is not what was meant
 */
export async function readSecret(what: string): Promise<string> {
  const { stdin, stderr } = process;
  const { isTTY } = stdin;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const input = createInterface({ input: stdin, output: nowhere, terminal: isTTY });
  const lines = input[Symbol.asyncIterator]();
  const ask = async (prompt: string): Promise<string> => {
    if (isTTY) stderr.write(prompt);
    const { done, value } = await lines.next();
    if (isTTY) stderr.write("\n");
    if (!done) return value;
    throw new UsageError(`the ${what} is read from the standard input, which is empty`);
  };
  // The terminal passes Ctrl-C on as a key.
  input.once("SIGINT", () => {
    input.close();
    process.kill(process.pid, "SIGINT");
  });
  try {
    const secret = await ask(`${what}: `);
    // What the decoder puts in the place of bytes that are no UTF-8.
    if (secret.includes("\u{FFFD}")) throw new UsageError(`the ${what} is not UTF-8`);
    if (isTTY && (await ask(`${what} again: `)) !== secret) {
      throw new UsageError(`the two are not alike; no ${what} is set`);
    }
    return secret;
  } finally {
    input.close();
  }
}
