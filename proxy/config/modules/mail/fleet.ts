/** Ours: the worker to which this proxy reports failing mail servers. */
import { parseIp } from "../../../../shared/address.ts";
import { type Rows, once } from "../../language/row.ts";
import { ConfigError } from "../../language/error.ts";
import { fullName, readSecretFile } from "../../language/files.ts";
import type { Directive } from "../../language/directive.ts";
import { type Paths, words } from "../../language/values.ts";

export interface FleetSettings {
  /** Has no slash at its end. */
  readonly url: string;
  /** The secret by which the worker identifies this proxy. */
  readonly key: string;
}

const KEY = "key=";

/** Reads `URL key=FILE`, as in `https://postern.example.workers.dev/fleet key=fleet.key`. */
function fleetOf(directive: Directive, paths: Paths): FleetSettings {
  const [text = "", parameter = ""] = words(directive);
  const url = URL.parse(text);
  if (url === null || url.username + url.password + url.search + url.hash !== "") {
    throw new ConfigError(`invalid URL in "fleet"`, directive, ADVICE);
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    throw new ConfigError(`"fleet" would send its key unencrypted`, directive, ADVICE);
  }
  if (!parameter.startsWith(KEY)) {
    // The error does not quote the parameter, which may be the key itself.
    throw new ConfigError(`no "${KEY}FILE" in "fleet"`, directive, ADVICE);
  }
  const path = fullName(paths.configuration, parameter.slice(KEY.length));
  const key = readSecretFile(path, KEY, directive).toString("latin1").trim();
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new ConfigError(`"${path}" must hold one line with the key of "fleet",`, directive);
  }
  return { url: url.href.replace(/\/+$/, ""), key };
}

const ADVICE = `"fleet" takes https://HOST/fleet and ${KEY}FILE; http:// is for loopback only`;

function isLoopback(host: string): boolean {
  return host === "localhost" || parseIp(host.replace(/^\[|\]$/g, ""))?.range() === "loopback";
}

export const fleet = {
  fleet: { in: ["mail"], args: 2, read: once(fleetOf), default: null as FleetSettings | null },
} satisfies Rows;
