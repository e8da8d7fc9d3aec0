/** Shared memory zones, which are one for all servers that name them. */
import { declarations } from "./declarations.ts";
import { ConfigError } from "./error.ts";
import type { Directive } from "./directive.ts";

/** A zone as it was declared first. */
interface DeclaredZone {
  /** bytes */
  readonly size: number;
  /** The directive whose zone it is. */
  readonly use: string;
}

const zonesOf = declarations<DeclaredZone>();

/** nginx's eight pages, bytes. */
export const SMALLEST_ZONE = 32_768;

/** @throws ConfigError where the name stands for another zone already, in nginx's words */
export function declareZone(name: string, size: number, directive: Directive): void {
  const zones = zonesOf(directive);
  const use = directive.name;
  const declared = zones.get(name) ?? { size, use };
  if (use !== declared.use) {
    throw new ConfigError(
      `the shared memory zone "${name}" is already declared for a different use`,
      directive,
    );
  }
  if (size !== declared.size) {
    throw new ConfigError(
      `the size ${size} of shared memory zone "${name}" conflicts with already declared size ${declared.size}`,
      directive,
    );
  }
  zones.set(name, declared);
}
