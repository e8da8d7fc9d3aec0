/** nginx's command line: letters that may be joined (`-tq`), arguments attached or in the next word. */

export type Signal = "stop" | "quit" | "reopen" | "reload";

export interface CommandLine {
  readonly help: boolean;
  readonly version: boolean;
  /** `-V`: with what it is built from. */
  readonly build: boolean;
  readonly test: boolean;
  /** `-T`: print the configuration, too. */
  readonly dump: boolean;
  readonly quiet: boolean;
  readonly signal: Signal | null;
  readonly prefix: string;
  readonly errorLog: string | null;
  readonly file: string;
  readonly globals: string;
}

/** The letters that take an argument, and nginx's name for it. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  p: "directory name",
  e: "file name",
  c: "file name",
  g: "parameter",
  s: "parameter",
};

const FLAGS = "?hvVtTq";
const SIGNALS: readonly string[] = ["stop", "quit", "reopen", "reload"] satisfies Signal[];

/** A command line that makes no sense; the message is nginx's. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** @throws UsageError */
export function parseCommandLine(words: readonly string[]): CommandLine {
  const given = new Map<string, string>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (!word.startsWith("-")) throw new UsageError(`invalid option: "${word}"`);
    for (let letter = 1; letter < word.length; letter++) {
      const name = word[letter] ?? "";
      const wants = ARGUMENTS[name];
      if (wants === undefined) {
        if (!FLAGS.includes(name)) throw new UsageError(`invalid option: "${name}"`);
        given.set(name, "");
        continue;
      }
      // In a word of its own an argument may be empty: `-g ""` is what scripts pass that have nothing to say.
      const argument = word.slice(letter + 1) || words[++at];
      if (argument === undefined) throw new UsageError(`option "-${name}" requires ${wants}`);
      given.set(name, argument);
      break;
    }
  }
  return {
    help: given.has("?") || given.has("h"),
    version: given.has("v"),
    build: given.has("V"),
    test: given.has("t") || given.has("T"),
    dump: given.has("T"),
    quiet: given.has("q"),
    signal: signal(given.get("s")),
    prefix: given.get("p") ?? ".",
    errorLog: given.get("e") === "" ? "stderr" : (given.get("e") ?? null),
    file: given.get("c") ?? "conf/nginx.conf",
    globals: given.get("g") ?? "",
  };
}

function signal(name: string | undefined): Signal | null {
  if (name === undefined) return null;
  if (!isSignal(name)) throw new UsageError(`invalid option: "-s ${name}"`);
  return name;
}

function isSignal(name: string): name is Signal {
  return SIGNALS.includes(name);
}
