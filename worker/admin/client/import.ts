/** `import FILE`: users from another system's file, in batches. */
import { open } from "node:fs/promises";
import type { Api } from "./api.ts";
import { asObject } from "./api.ts";
import { CommandError, UsageError } from "./errors.ts";
import { FORMATS, type Format, type Line, type User, formatOf } from "./formats/index.ts";
import { Interruption } from "./interruption.ts";
import { linesOf } from "./lines.ts";
import { Progress } from "./progress.ts";

export interface ImportOptions {
  /** Recognised by the first line if left out. */
  readonly format?: string | undefined;
  /** The group of users whose line names none. */
  readonly group?: string | undefined;
  /** The first line to take, from 1. */
  readonly from: number;
}

/** Rows of a request: the API takes 1,000. */
const BATCH = 500;

/** Bytes of a request's lines: the API takes a mebibyte of JSON, in which a line can double. */
const BATCH_BYTES = 256 * 1024;

interface Numbered {
  readonly line: number;
  readonly user: User;
}

interface Refused {
  readonly line: number;
  readonly reason: string;
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
 * @param file `-` is the standard input
 * @returns how many lines came to what
 * @throws CommandError where it cannot go on; the sentence says from which line to go on later
 */
export async function importUsers(
  api: Api,
  file: string,
  options: ImportOptions,
): Promise<Readonly<Tally>> {
  const source = await openFile(file);
  const progress = new Progress(source.size);
  const tally: Tally = { created: 0, updated: 0, unchanged: 0, refused: 0 };
  using interruption = new Interruption();
  let done = options.from - 1;
  try {
    for await (const { rows, refused, last, bytes } of batches(source.stream, options)) {
      if (interruption.asked) throw new CommandError("stopped");
      refused.push(...(await send(api, rows, tally)));
      done = last;
      tally.refused += refused.length;
      if (refused.length > 0) progress.clear();
      for (const { line, reason } of refused.toSorted((one, other) => one.line - other.line)) {
        console.error(`${file}:${line}: ${reason.replaceAll(/\s+/g, " ")}`);
      }
      progress.update(bytes, done);
    }
  } catch (error) {
    progress.clear();
    if (!(error instanceof CommandError) || error instanceof UsageError) throw error;
    throw new CommandError(`${error.message}; go on later with --from ${done + 1}`, {
      cause: error,
    });
  }
  progress.clear();
  return tally;
}

/** @returns what the API refuses */
async function send(api: Api, rows: readonly Numbered[], tally: Tally): Promise<Refused[]> {
  if (rows.length === 0) return [];
  const report = await api.persist("POST", "/import", { users: rows.map(({ user }) => user) });
  tally.created += Number(report["created"]);
  tally.updated += Number(report["updated"]);
  tally.unchanged += Number(report["unchanged"]);
  const refused = Array.isArray(report["refused"]) ? report["refused"].map(asObject) : [];
  return refused.flatMap(({ index, reason }) => {
    const row = rows[Number(index)];
    if (row === undefined) return [];
    return { line: row.line, reason: `${row.user.address}: ${String(reason)}` };
  });
}

interface Batch {
  readonly rows: Numbered[];
  readonly refused: Refused[];
  /** Bytes of its lines. */
  size: number;
  /** The number of the last line that is in it. */
  last: number;
  /** Of the file, read so far. */
  bytes: number;
}

/** @throws UsageError if nobody can tell what the file is */
async function* batches(stream: Source["stream"], options: ImportOptions): AsyncGenerator<Batch> {
  const begin = (last: number): Batch => {
    return { rows: [], refused: [], size: 0, last, bytes: stream.bytesRead };
  };
  let read: ((line: string) => Line) | null = null;
  let batch = begin(0);
  const seen = new Map<string, number>();
  let isEmpty = true;
  for await (const { number, text, fault } of linesOf(stream)) {
    batch.last = number;
    batch.bytes = stream.bytesRead;
    if (isForPeople(text)) continue;
    const found: Line =
      fault === null
        ? (read ??= choose(options.format, text).reader(text))(text)
        : { refused: fault };
    isEmpty &&= found === null;
    // Only now: the first line may be the heading.
    if (number < options.from || found === null) continue;
    take(found, number, batch, seen, options.group);
    batch.size += Buffer.byteLength(text);
    if (batch.rows.length + batch.refused.length === BATCH || batch.size >= BATCH_BYTES) {
      yield batch;
      batch = begin(number);
    }
  }
  if (isEmpty) throw new UsageError("the file holds no users");
  yield batch;
}

function take(
  found: NonNullable<Line>,
  line: number,
  { rows, refused }: Batch,
  seen: Map<string, number>,
  group: string | undefined,
): void {
  if ("refused" in found) return void refused.push({ line, reason: found.refused });
  const { user } = found;
  const before = seen.get(user.address.toLowerCase());
  if (before !== undefined) {
    return void refused.push({ line, reason: `${user.address}: it is on line ${before} already` });
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
  throw new UsageError(
    "the first line is neither address,hash,group nor address:hash, as in a file of a format that " +
      `we know; if the file is one, say which by --format (${names})`,
  );
}

interface Source {
  readonly stream: AsyncIterable<Uint8Array> & { readonly bytesRead: number };
  /** Bytes; 0 where nobody knows. */
  readonly size: number;
}

/** @throws UsageError if it cannot be read */
async function openFile(file: string): Promise<Source> {
  if (file === "-") return { stream: process.stdin, size: 0 };
  try {
    const handle = await open(file);
    const stat = await handle.stat();
    // It closes the file when it has been read, or when nobody reads on.
    if (!stat.isDirectory()) return { stream: handle.createReadStream(), size: stat.size };
    await handle.close();
  } catch (error) {
    throw new UsageError(`${file} cannot be read`, { cause: error });
  }
  throw new UsageError(`${file} is a directory and cannot be read`);
}
