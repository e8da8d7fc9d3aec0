import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { UsageError } from "./errors.ts";

/**
 * Reads a secret from standard input. On a terminal it asks twice, and does not show the text.
 *
 * @param what the word for the prompt: `password`
 * @throws UsageError if the input is empty, not UTF-8, or not the same twice
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
    throw new UsageError(`the ${what} is read from standard input, which is empty`);
  };
  // A terminal in raw mode reports Ctrl-C as a key.
  input.once("SIGINT", () => {
    input.close();
    process.kill(process.pid, "SIGINT");
  });
  try {
    const secret = await ask(`${what}: `);
    // The decoder replaces bytes that are not UTF-8 by this character.
    if (secret.includes("\u{FFFD}")) throw new UsageError(`the ${what} is not UTF-8`);
    if (isTTY && (await ask(`${what} again: `)) !== secret) {
      throw new UsageError(`the two differ; no ${what} is set`);
    }
    return secret;
  } finally {
    input.close();
  }
}
