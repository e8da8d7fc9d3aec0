import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { Misuse } from "./failure.ts";

/** Reads a line from the standard input; on a terminal it is not shown. @throws Misuse if there is none */
export async function readSecret(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  if (stdin.isTTY) stderr.write(prompt);
  const lines = createInterface({ input: stdin, output: nowhere, terminal: stdin.isTTY });
  try {
    for await (const line of lines) return line;
  } finally {
    lines.close();
    if (stdin.isTTY) stderr.write("\n");
  }
  throw new Misuse("the password is read from the standard input, which is empty");
}
