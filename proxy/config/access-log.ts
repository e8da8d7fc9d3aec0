/** Where the line of each session goes; the directive is that of nginx's ngx_stream_log_module. */
import { resolve } from "node:path";
import { MAIL, type Rows, once } from "./directive.ts";
import type { Directive } from "./parser.ts";
import { type Paths, text } from "./values.ts";

export type AccessLogTarget = "off" | "stdout" | { readonly path: string };

function target(directive: Directive, paths: Paths): AccessLogTarget {
  const word = text(directive);
  return word === "off" || word === "stdout" ? word : { path: resolve(paths.prefix, word) };
}

export const accessLog = {
  access_log: { in: MAIL, args: 1, read: once(target), default: "stdout" as AccessLogTarget },
} satisfies Rows;
