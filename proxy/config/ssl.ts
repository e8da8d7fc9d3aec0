/** nginx's ngx_mail_ssl_module: TLS towards clients. */
import { resolve } from "node:path";
import { MAIL, type Rows, eachOf, once } from "./directive.ts";
import type { Directive } from "./parser.ts";
import { type Paths, oneOf, text } from "./values.ts";

/** An `ssl_*` file, relative to the directory of the main configuration file. */
function file(directive: Directive, paths: Paths): string {
  return resolve(paths.configuration, text(directive));
}

export const ssl = {
  starttls: {
    in: MAIL,
    args: 1,
    read: once(oneOf("off", "on", "only")),
    default: "off" as "off" | "on" | "only",
  },
  ssl_certificate: { in: MAIL, args: 1, read: eachOf(file), default: [] as readonly string[] },
  ssl_certificate_key: { in: MAIL, args: 1, read: eachOf(file), default: [] as readonly string[] },
} satisfies Rows;
