/** `import FILE` sends users from another system's file to the API, in batches. */
import { open } from "node:fs/promises";
import type { Api } from "./api.ts";
import { asObject } from "./api.ts";
import { CommandError, UsageError } from "./errors.ts";
import { FORMATS, type Format, type Line, type User, formatOf } from "./formats/index.ts";
import { Interruption } from "./interruption.ts";
import { linesOf } from "./lines.ts";
import { Progress } from "./progress.ts";

export interface ImportOptions {
  /** If left out, the first line decides. */
  readonly format?: string | undefined;
  /** The group of users whose lines name none. */
  readonly group?: string | undefined;
  /** The first line to import, counted from 1. */
  readonly from: number;
}

/** Rows of a request. The API accepts 1,000. */
const BATCH = 500;

/** Bytes of a request's lines. The API accepts a mebibyte of JSON, in which a line can double. */
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
 * Imports a file. Reports refused lines by their numbers, and goes on.
 *
 * @param file `-` is the standard input
 * @returns the number of users created, updated and unchanged, and of refused lines
 * @throws CommandError where it cannot go on; the message says from which line to continue
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
      if (interruption.requested) throw new CommandError("the import was interrupted");
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
    throw new CommandError(`${error.message}; continue with --from ${done + 1}`, {
      cause: error,
    });
  }
  progress.clear();
  return tally;
}

/** @returns the rows that the API refuses */
async function send(api: Api, rows: readonly Numbered[], tally: Tally): Promise<Refused[]> {
  if (rows.length === 0) return [];
  const report = await api.callWithRetries("POST", "/import", {
    users: rows.map(({ user }) => user),
  });
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
  /** Bytes of the lines in it. */
  size: number;
  /** The number of the last line in it. */
  last: number;
  /** Bytes of the file read so far. */
  bytes: number;
}

/** @throws UsageError if the format of the file is unknown */
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
    if (isComment(text)) continue;
    const found: Line =
      fault === null
        ? (read ??= choose(options.format, text).reader(text))(text)
        : { refused: fault };
    isEmpty &&= found === null;
    // Lines before `from` are read as well, because the first one may be the heading.
    if (number < options.from || found === null) continue;
    take(found, number, batch, seen, options.group);
    batch.size += Buffer.byteLength(text);
    if (batch.rows.length + batch.refused.length === BATCH || batch.size >= BATCH_BYTES) {
      yield batch;
      batch = begin(number);
    }
  }
  if (isEmpty) throw new UsageError("the file has no users");
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
    return void refused.push({
      line,
      reason: `${user.address}: line ${before} has this address already`,
    });
  }
  seen.set(user.address.toLowerCase(), line);
  rows.push({ line, user: group === undefined ? user : { group, ...user } });
}

function isComment(line: string): boolean {
  return line.trim() === "" || line.startsWith("#");
}

function choose(name: string | undefined, firstLine: string): Format {
  const format =
    name === undefined ? formatOf(firstLine) : FORMATS.find((each) => each.name === name);
  if (format !== undefined) return format;
  const names = FORMATS.map((each) => each.name).join(", ");
  throw new UsageError(
    "the format is unknown, because the first line is neither address,hash,group nor address:hash; " +
      `name the format by --format (${names})`,
  );
}

interface Source {
  readonly stream: AsyncIterable<Uint8Array> & { readonly bytesRead: number };
  /** Bytes; 0 where the size is unknown. */
  readonly size: number;
}

/** @throws UsageError if the file cannot be read */
async function openFile(file: string): Promise<Source> {
  if (file === "-") return { stream: process.stdin, size: 0 };
  try {
    const handle = await open(file);
    const stat = await handle.stat();
    // The stream closes the file at its end, or when its reader stops.
    if (!stat.isDirectory()) return { stream: handle.createReadStream(), size: stat.size };
    await handle.close();
  } catch (error) {
    throw new UsageError(`${file} cannot be read`, { cause: error });
  }
  throw new UsageError(`${file} is a directory, and cannot be read`);
}
