/** The lines with which nginx begins its log: version, system and limits. */
import { release, type } from "node:os";
import { builtBy, program } from "../../version.ts";
import { openFiles } from "../os/open-files.ts";

export function startLines(): readonly string[] {
  const files = openFiles();
  return [
    ...(type() === "Linux" ? ['using the "epoll" event method'] : []),
    program,
    builtBy,
    `OS: ${type()} ${release()}`,
    ...(files === null ? [] : [`getrlimit(RLIMIT_NOFILE): ${files.soft}:${files.hard}`]),
  ];
}
