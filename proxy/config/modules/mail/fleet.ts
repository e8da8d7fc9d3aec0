/** Ours: the worker that this proxy tells which mail servers fail. */
import { parseIp } from "../../../../shared/address.ts";
import { type Rows, once } from "../../language/row.ts";
import { ConfigError } from "../../language/error.ts";
import { fullName, readFile } from "../../language/files.ts";
import type { Directive } from "../../language/directive.ts";
import { type Paths, words } from "../../language/values.ts";

export interface FleetSettings {
  /** Without a slash at its end. */
  readonly url: string;
  /** This proxy's own, by which the worker knows it. */
  readonly key: string;
}

const KEY = "key=";

/** `URL key=FILE`, as in `https://postern.example.workers.dev/fleet key=fleet.key`. */
function fleetOf(directive: Directive, paths: Paths): FleetSettings {
  const [text = "", parameter = ""] = words(directive);
  const url = URL.parse(text);
  if (url === null || url.username + url.password + url.search + url.hash !== "") {
    throw new ConfigError(`invalid URL in "fleet"`, directive, ADVICE);
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    throw new ConfigError(`"fleet" would send its key in the clear`, directive, ADVICE);
  }
  if (!parameter.startsWith(KEY)) {
    // It may be the key itself.
    throw new ConfigError(`no "${KEY}FILE" in "fleet"`, directive, ADVICE);
  }
  const path = fullName(paths.configuration, parameter.slice(KEY.length));
  const key = readFile(path, directive).toString("latin1").trim();
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new ConfigError(`"${path}" must hold one line, the key of "fleet",`, directive);
  }
  return { url: url.href.replace(/\/+$/, ""), key };
}

const ADVICE = `"fleet" takes https://HOST/fleet and ${KEY}FILE; http:// on loopback only`;

function isLoopback(host: string): boolean {
  return host === "localhost" || parseIp(host.replace(/^\[|\]$/g, ""))?.range() === "loopback";
}

export const fleet = {
  fleet: { in: ["mail"], args: 2, read: once(fleetOf), default: null as FleetSettings | null },
} satisfies Rows;
