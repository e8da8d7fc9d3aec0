/** The C programs of the benchmark. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NativeProgram, compile } from "../support/programs/native.ts";

const SOURCES = fileURLToPath(new URL("native/", import.meta.url));

const PROGRAMS = {
  upstream: { sources: ["upstream.c", "loopback.c"], libraries: [] },
  client: { sources: ["client.c", "stream.c", "loopback.c"], libraries: ["-lssl", "-lcrypto"] },
} as const;

type ProgramName = keyof typeof PROGRAMS;

/** @throws Error that says what is missing */
export function compileAll(directory: string): void {
  for (const [name, { sources, libraries }] of Object.entries(PROGRAMS)) {
    const files = sources.map((file) => join(SOURCES, file));
    compile(join(directory, name), files, libraries);
  }
}

/** @param directory the one that `compileAll` has filled */
export function start(
  directory: string,
  name: ProgramName,
  args: readonly (string | number)[],
): NativeProgram {
  return new NativeProgram(join(directory, name), args);
}
