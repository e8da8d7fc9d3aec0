/** `export` writes every user in a format that `import` reads. */
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Api } from "./api.ts";
import { UsageError } from "./errors.ts";
import { FORMATS, type Format, type Line, type User } from "./formats/index.ts";

/**
 * Reports users that the format cannot hold, and leaves them out.
 *
 * @param file is created for its owner alone, because it holds the hashes; standard output if undefined
 * @returns true where every user is in the file
 * @throws UsageError
 */
export async function exportUsers(
  api: Api,
  name: string,
  file: string | undefined,
): Promise<boolean> {
  const format = FORMATS.find((each) => each.name === name);
  if (format === undefined) {
    throw new UsageError(`--format must be one of ${FORMATS.map((each) => each.name).join(", ")}`);
  }
  const left: string[] = [];
  if (file === undefined) await pipeline(lines(api, format, left), process.stdout, { end: false });
  else await writeFile(file, lines(api, format, left));
  for (const address of left) {
    console.error(
      `${address}: left out, because the format ${name} cannot hold this user; csv can`,
    );
  }
  return left.length === 0;
}

async function writeFile(file: string, text: AsyncIterable<string>): Promise<void> {
  try {
    await pipeline(text, createWriteStream(file, { mode: 0o600, flags: "wx" }));
  } catch (error) {
    if (isFrom(error, "open")) {
      throw new UsageError(`${file} cannot be created, or exists already`, { cause: error });
    }
    // A partial file could be taken for a whole one.
    await rm(file, { force: true });
    throw error;
  }
}

/** @param left receives the addresses of the users that the format cannot hold */
async function* lines(api: Api, format: Format, left: string[]): AsyncGenerator<string> {
  const { heading } = format;
  if (heading !== undefined) yield `${heading}\n`;
  const read = format.reader(heading ?? "");
  for await (const row of api.list("/export")) {
    const { address, passwordHash } = row;
    if (typeof address !== "string" || typeof passwordHash !== "string") continue;
    const given = Object.entries(row).filter(([, value]) => value !== null);
    const user: User = { ...Object.fromEntries(given), address, passwordHash };
    const line = format.write(user);
    if (isSame(read(line), user)) yield `${line}\n`;
    else left.push(address);
  }
}

/** Compares address, hash and flag. Some formats hold no more than these. */
function isSame(found: Line, { address, passwordHash, enabled = true }: User): boolean {
  if (found === null || !("user" in found)) return false;
  const { user } = found;
  const hasSameLogin = user.address === address && user.passwordHash === passwordHash;
  return hasSameLogin && (user.enabled ?? true) === enabled;
}

function isFrom(error: unknown, syscall: string): boolean {
  return error instanceof Error && "syscall" in error && error.syscall === syscall;
}
