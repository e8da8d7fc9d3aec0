/** `worker_cpu_affinity`: binds workers to CPUs. */
import { ConfigError } from "../../language/error.ts";
import type { Directive } from "../../language/directive.ts";
import { argumentCount } from "../../language/values.ts";

export interface CpuAffinity {
  /** Each worker gets a CPU of its own, from the mask if there is one. */
  readonly auto: boolean;
  /** Binary digits with CPU 0 last: a mask for each worker, the last mask for all further workers. */
  readonly masks: readonly string[];
}

/** The C library's `cpu_set_t` holds this many CPUs. */
const MAX_CPUS = 1024;

export function cpuAffinity(directive: Directive): CpuAffinity {
  const { args } = directive;
  const auto = args[0] === "auto";
  if (auto && args.length > 2) throw argumentCount(directive);
  const masks = args.slice(auto ? 1 : 0).map((mask) => mask.replaceAll(" ", ""));
  for (const mask of masks) {
    const [other] = /[^01]/.exec(mask) ?? [];
    if (other !== undefined) {
      throw new ConfigError(`invalid character "${other}" in "worker_cpu_affinity"`, directive);
    }
    if (mask.length > MAX_CPUS) {
      throw new ConfigError(
        `"worker_cpu_affinity" supports up to ${MAX_CPUS} CPUs only`,
        directive,
      );
    }
  }
  return { auto, masks };
}
