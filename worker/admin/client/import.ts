/** `import FILE`: users from another system's file, in batches. */
import { type FileHandle, open } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Api } from "./api.ts";
import { asObject } from "./api.ts";
import { Failure, Misuse } from "./failure.ts";
import { FORMATS, type Format, type Line, type User, formatOf } from "./formats/index.ts";
import { Progress } from "./progress.ts";

export interface ImportOptions {
  /** Recognised by the first line if left out. */
  readonly format?: string | undefined;
  /** The group of users whose line names none. */
  readonly group?: string | undefined;
  /** The first line to take, from 1. */
  readonly from: number;
}

/** Rows of a request: the API takes 1,000, and a mebibyte. */
const BATCH = 500;

interface Numbered {
  readonly line: number;
  readonly user: User;
}

interface Tally {
  created: number;
  updated: number;
  unchanged: number;
  refused: number;
}

/**
 * Refused lines are told by their number and passed over.
 *
 * @returns whether every line was taken
 * @throws Failure where it cannot go on; the sentence says from which line to go on later
 */
export async function importUsers(
  api: Api,
  file: string,
  options: ImportOptions,
): Promise<boolean> {
  await using source = await openFile(file);
  // 0 for a pipe.
  const progress = new Progress((await source.stat()).size);
  const tally: Tally = { created: 0, updated: 0, unchanged: 0, refused: 0 };
  const refuse = (line: number, reason: string) => {
    tally.refused += 1;
    progress.clear();
    console.error(`${file}:${line}: ${reason.replaceAll(/\s+/g, " ")}`);
  };
  let done = options.from - 1;
  try {
    for await (const { rows, refused, last, bytes } of batches(source, options)) {
      for (const { line, reason } of refused) refuse(line, reason);
      await send(api, rows, tally, refuse);
      done = last;
      progress.update(bytes, done);
    }
  } catch (error) {
    progress.clear();
    if (!(error instanceof Failure) || error instanceof Misuse) throw error;
    throw new Failure(`${error.message}; go on later with --from ${done + 1}`, { cause: error });
  }
  progress.clear();
  const { created, updated, unchanged, refused } = tally;
  console.log(`${created} created, ${updated} updated, ${unchanged} unchanged, ${refused} refused`);
  return refused === 0;
}

async function send(
  api: Api,
  rows: readonly Numbered[],
  tally: Tally,
  refuse: (line: number, reason: string) => void,
): Promise<void> {
  if (rows.length === 0) return;
  const report = await api.persist("POST", "/import", { users: rows.map(({ user }) => user) });
  tally.created += Number(report["created"]);
  tally.updated += Number(report["updated"]);
  tally.unchanged += Number(report["unchanged"]);
  for (const entry of Array.isArray(report["refused"]) ? report["refused"] : []) {
    const { index, reason } = asObject(entry);
    refuse(rows[Number(index)]?.line ?? 0, String(reason));
  }
}

interface Batch {
  readonly rows: Numbered[];
  readonly refused: { readonly line: number; readonly reason: string }[];
  /** The number of the last line that is in it. */
  last: number;
  /** Of the file, read so far. */
  bytes: number;
}

/** @throws Misuse if nobody can tell what the file is */
async function* batches(source: FileHandle, options: ImportOptions): AsyncGenerator<Batch> {
  const stream = source.createReadStream({ autoClose: false });
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  let read: ((line: string) => Line) | null = null;
  let batch: Batch = { rows: [], refused: [], last: 0, bytes: 0 };
  const seen = new Map<string, number>();
  let number = 0;
  for await (const raw of lines) {
    number += 1;
    const line = number === 1 ? raw.replace(/^\u{FEFF}/u, "") : raw;
    batch.last = number;
    batch.bytes = stream.bytesRead;
    if (read === null && isForPeople(line)) continue;
    read ??= choose(options.format, line).reader(line);
    // Only now: the first line may be the heading.
    if (number < options.from) continue;
    take(read(line), number, line, batch, seen, options.group);
    if (batch.rows.length + batch.refused.length === BATCH) {
      yield batch;
      batch = { rows: [], refused: [], last: number, bytes: stream.bytesRead };
    }
  }
  yield batch;
}

function take(
  found: Line,
  line: number,
  text: string,
  { rows, refused }: Batch,
  seen: Map<string, number>,
  group: string | undefined,
): void {
  if (found === null) return;
  // What the decoder puts in the place of bytes that are no UTF-8.
  if (text.includes("\u{FFFD}")) return void refused.push({ line, reason: "it is not UTF-8" });
  if ("refused" in found) return void refused.push({ line, reason: found.refused });
  const { user } = found;
  const before = seen.get(user.address.toLowerCase());
  if (before !== undefined) {
    return void refused.push({ line, reason: `${user.address} is on line ${before} already` });
  }
  seen.set(user.address.toLowerCase(), line);
  rows.push({ line, user: group === undefined ? user : { group, ...user } });
}

function isForPeople(line: string): boolean {
  return line.trim() === "" || line.startsWith("#");
}

function choose(name: string | undefined, firstLine: string): Format {
  const format =
    name === undefined ? formatOf(firstLine) : FORMATS.find((each) => each.name === name);
  if (format !== undefined) return format;
  const names = FORMATS.map((each) => each.name).join(", ");
  throw new Misuse(`the file is of no format that we know; say which by --format (${names})`);
}

/** @throws Misuse if it cannot be read */
async function openFile(file: string): Promise<FileHandle> {
  try {
    const handle = await open(file);
    if (!(await handle.stat()).isDirectory()) return handle;
    await handle.close();
  } catch (error) {
    throw new Misuse(`${file} cannot be read`, { cause: error });
  }
  throw new Misuse(`${file} is a directory and cannot be read`);
}
