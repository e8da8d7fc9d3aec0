/** nginx's ngx_thread_pool_module. Its pools read files, and a mail proxy reads none while it serves. */
import { type Rows, inert } from "../../language/row.ts";
import { ConfigError } from "../../language/error.ts";
import type { Directive } from "../../language/directive.ts";
import type { Paths } from "../../language/values.ts";

/** Reads `NAME threads=N [max_queue=N]`. Other parameters are ignored, as in nginx. @returns the pools' names */
function pool(
  directive: Directive,
  _paths: Paths,
  earlier: readonly string[] = [],
): readonly string[] {
  const [name = "", ...parameters] = directive.args;
  if (earlier.includes(name)) throw new ConfigError(`duplicate thread pool "${name}"`, directive);
  for (const parameter of parameters) {
    const [, key, value = ""] = /^(threads|max_queue)=(.*)$/s.exec(parameter) ?? [];
    const valid = key === "threads" ? /^0*[1-9]\d*$/ : /^\d+$/;
    if (key !== undefined && !valid.test(value)) {
      throw new ConfigError(`invalid ${key} value "${parameter}"`, directive);
    }
  }
  if (!parameters.some((parameter) => parameter.startsWith("threads="))) {
    throw new ConfigError('"thread_pool" must have "threads" parameter', directive);
  }
  return [...earlier, name];
}

export const threadPool = {
  thread_pool: {
    ...inert(["main"], [2, 3], "Postern reads no files while it serves mail"),
    read: pool,
  },
} satisfies Rows;
