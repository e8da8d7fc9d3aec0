/** `export`: every user, in a form that `import` reads. */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Api } from "./api.ts";
import { Misuse } from "./failure.ts";
import { FORMATS, type Format, type User } from "./formats/index.ts";

/**
 * @param file is made, for its owner alone, since it holds the hashes; the standard output if undefined
 * @throws Misuse
 */
export async function exportUsers(api: Api, name: string, file: string | undefined): Promise<void> {
  const format = FORMATS.find((each) => each.name === name);
  if (format === undefined) {
    throw new Misuse(`--format is one of ${FORMATS.map((each) => each.name).join(", ")}`);
  }
  if (file === undefined) return pipeline(lines(api, format), process.stdout, { end: false });
  try {
    await pipeline(lines(api, format), createWriteStream(file, { mode: 0o600, flags: "wx" }));
  } catch (error) {
    if (!isFrom(error, "open")) throw error;
    throw new Misuse(`${file} cannot be made, or is there already`, { cause: error });
  }
}

async function* lines(api: Api, format: Format): AsyncGenerator<string> {
  if (format.heading !== undefined) yield `${format.heading}\n`;
  for await (const row of api.list("/export")) {
    const { address, passwordHash } = row;
    if (typeof address !== "string" || typeof passwordHash !== "string") continue;
    const given = Object.entries(row).filter(([, value]) => value !== null);
    const user: User = { ...Object.fromEntries(given), address, passwordHash };
    yield `${format.write(user)}\n`;
  }
}

function isFrom(error: unknown, syscall: string): boolean {
  return error instanceof Error && "syscall" in error && error.syscall === syscall;
}
