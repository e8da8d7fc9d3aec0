/** Shared memory zones (nginx's ngx_shared_memory_add): all servers that name one share it. */
import { declarations } from "./declarations.ts";
import type { Directive } from "./directive.ts";
import { ConfigError } from "./error.ts";

/** The first declaration of a zone. */
interface DeclaredZone {
  /** bytes */
  readonly size: number;
  /** The directive that declared it. */
  readonly use: string;
}

const zonesOf = declarations<DeclaredZone>();

/** nginx's eight pages, bytes. */
export const SMALLEST_ZONE = 32_768;

/** @throws ConfigError in nginx's words if the name has another use or size already */
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
