import { parseIp } from "../../../shared/address.ts";
import { type Cause, type Place, formatPlace, withoutSecrets } from "./error.ts";

/** A name that must have an address. */
export interface HostName {
  readonly host: string;
  /** The error for a name without an address. */
  readonly mistake: string;
  /** The directive that has the name. */
  readonly directive: string;
}

/** Collects what a configuration yields beside its values: warnings, notices, and names to look up. */
export class Diagnostics {
  /** Warnings in nginx's words, and Postern's own (`lint.ts`). */
  readonly warnings: string[] = [];
  /** Differences from nginx: one sentence each. */
  readonly notices: string[] = [];
  /** In the file's order. */
  readonly hosts: HostName[] = [];

  warn(what: string, cause: Cause): void {
    this.warnings.push(`${withoutSecrets(what, cause)} in ${formatPlace(cause)}`);
  }

  note(what: string, cause: Cause): void {
    this.notices.push(`${withoutSecrets(what, cause)} in ${formatPlace(cause)}`);
  }

  /**
   * Remembers a name for `resolveAddresses`. nginx looks names up as it reads them; Node cannot without waiting.
   *
   * @param host a name, or an address, which needs no look-up
   */
  lookUp(host: string, mistake: string, directive: Place & { readonly name: string }): void {
    if (parseIp(host) !== null) return;
    const { name } = directive;
    this.hosts.push({ host, mistake: `${mistake} in ${formatPlace(directive)}`, directive: name });
  }
}
