/**
 * nginx's command line: letters may be joined (`-tq`), and an argument is attached or in the next word. Java's
 * command line adds `-Dname=value`, and `@FILE`, which stands for the words in the file.
 */
import {
  COMMAND_LINE,
  JAVA_OPTIONS,
  type JavaProperty,
  type Place,
  type Word,
  readArgumentFile,
  readArguments,
  formatPlace,
} from "../config/index.ts";
import type { Order } from "../process/control/command.ts";
import type { Signal } from "../process/os/pid-file.ts";

export interface CommandLine {
  readonly help: boolean;
  readonly version: boolean;
  /** `-V`: show the version, OpenSSL and build options. */
  readonly build: boolean;
  readonly test: boolean;
  /** `-T`: print the configuration as well. */
  readonly dump: boolean;
  readonly quiet: boolean;
  readonly signal: Signal | null;
  readonly order: Order | null;
  readonly prefix: string;
  readonly errorLog: string | null;
  readonly file: string;
  readonly globals: string;
  /** All `-D` in order. Those of POSTERN_JAVA_OPTS come first. */
  readonly properties: readonly JavaProperty[];
  /** Oddities of a `@FILE`. */
  readonly warnings: readonly string[];
}

/** nginx's names for the arguments of letters that take one. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  p: "directory name",
  e: "file name",
  c: "file name",
  g: "parameter",
  s: "parameter",
};

/** The key of the second argument of `-s kick`. */
const KICKED = "s kick";

const FLAGS = "?hvVtTq";
const SIGNALS: readonly string[] = ["stop", "quit", "reopen", "reload"] satisfies Signal[];

/** An error of the command line, in nginx's words. */
export class UsageError extends Error {
  override name = "UsageError";
}

/**
 * @param options the value of POSTERN_JAVA_OPTS
 * @throws UsageError; ConfigError for a `@FILE` that cannot be read
 */
export function parseCommandLine(words: readonly string[], options = ""): CommandLine {
  const warnings: string[] = [];
  const line = { given: new Map<string, string>(), properties: [] as JavaProperty[] };
  const left = [
    ...readArguments(options, JAVA_OPTIONS, warnings),
    ...words.map((text) => ({ text, place: { file: COMMAND_LINE, line: 0 } })),
  ].toReversed();
  /** The property right before the present word. */
  let before: string | null = null;
  for (let word = left.pop(); word !== undefined; word = left.pop()) {
    const { text, place } = word;
    const file = argumentFile(word);
    const [, name, value = ""] = /^-D([^=]+)=?(.*)$/s.exec(text) ?? [];
    if (before?.endsWith(".password") === true && !/^[-@]/.test(text)) throw parted(before, place);
    before = name ?? null;
    if (file !== null) left.push(...readArgumentFile(file, warnings).toReversed());
    else if (name !== undefined) line.properties.push({ name, value, place });
    else takeLetters(word, left, line.given);
  }
  return { ...meaning(line.given), properties: line.properties, warnings };
}

/** As in Java, a `@FILE` inside a file is not read. */
function argumentFile({ text, place: { file } }: Word): string | null {
  if (file !== COMMAND_LINE && file !== JAVA_OPTIONS) return null;
  return /^@([^@].*)$/s.exec(text)?.[1] ?? null;
}

/** @param left the words behind this one, in reverse order */
function takeLetters({ text, place }: Word, left: Word[], given: Map<string, string>): void {
  if (!text.startsWith("-")) throw invalid(text, place);
  for (let letter = 1; letter < text.length; letter++) {
    const name = text[letter] ?? "";
    const wants = ARGUMENTS[name];
    if (wants === undefined) {
      if (!FLAGS.includes(name)) throw invalid(name, place);
      given.set(name, "");
      continue;
    }
    // An argument in a word of its own may be empty: scripts without directives pass `-g ""`.
    const argument = text.slice(letter + 1) || left.pop()?.text;
    if (argument === undefined) throw new UsageError(`option "-${name}" requires ${wants}`);
    given.set(name, argument);
    if (name === "s" && argument === "kick") given.set(KICKED, kicked(left));
    break;
  }
}

/** Takes the user name behind `-s kick`. */
function kicked(left: Word[]): string {
  const user = left.pop()?.text ?? "";
  if (user === "") throw new UsageError('option "-s kick" requires user name');
  return user;
}

/** A password with a blank in it ends at the blank. The rest is not told. */
function parted(property: string, { file, line }: Place): UsageError {
  const where = file === COMMAND_LINE ? "" : ` in ${formatPlace({ file, line })}`;
  return new UsageError(`unexpected word behind "-D${property}=...", which needs quotes${where}`);
}

/** In nginx's words. A value is left out, since it may be the secret of a misspelt property. */
function invalid(option: string, { file, line }: Place): UsageError {
  const told = `"${option.replace(/=.*/s, "=...")}"`;
  const where = file === COMMAND_LINE ? "" : ` in ${formatPlace({ file, line })}`;
  return new UsageError(`invalid option: ${told}${where}`);
}

function meaning(given: ReadonlyMap<string, string>): Omit<CommandLine, "properties" | "warnings"> {
  return {
    help: given.has("?") || given.has("h"),
    version: given.has("v"),
    build: given.has("V"),
    test: given.has("t") || given.has("T"),
    dump: given.has("T"),
    quiet: given.has("q"),
    ...wanted(given.get("s"), given.get(KICKED)),
    prefix: given.get("p") ?? ".",
    errorLog: given.get("e") === "" ? "stderr" : (given.get("e") ?? null),
    file: given.get("c") ?? "conf/nginx.conf",
    globals: given.get("g") ?? "",
  };
}

/** @param word the argument of `-s` */
function wanted(word: string | undefined, user = ""): Pick<CommandLine, "signal" | "order"> {
  if (word === undefined) return { signal: null, order: null };
  if (word === "who") return { signal: null, order: { word } };
  if (word === "kick") return { signal: null, order: { word, user } };
  if (!isSignal(word)) throw new UsageError(`invalid option: "-s ${word}"`);
  return { signal: word, order: null };
}

function isSignal(name: string): name is Signal {
  return SIGNALS.includes(name);
}
