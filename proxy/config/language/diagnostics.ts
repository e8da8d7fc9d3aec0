/** What reading a configuration yields beside its values. */
import { parseIp } from "../../../shared/address.ts";
import { type Place, shown } from "./error.ts";

export class Diagnostics {
  /** Where nginx warns, in its words; and where it had better. */
  readonly warnings: string[] = [];
  /** Where Postern does something else than nginx: a sentence each. */
  readonly notices: string[] = [];
  /** Names that must have an address, each with the words for one that has none, in the file's order. */
  readonly hosts: {
    readonly host: string;
    readonly mistake: string;
    readonly directive: string;
  }[] = [];

  warn(what: string, place: Place): void {
    this.warnings.push(`${what} in ${shown(place)}`);
  }

  note(what: string, place: Place): void {
    this.notices.push(`${what} in ${shown(place)}`);
  }

  /**
   * nginx looks names up as it reads; Node only when everything has been read (`resolveAddresses`).
   *
   * @param host a name, or an address, which is no question
   */
  lookUp(host: string, mistake: string, directive: Place & { readonly name: string }): void {
    if (parseIp(host) !== null) return;
    const { name } = directive;
    this.hosts.push({ host, mistake: `${mistake} in ${shown(directive)}`, directive: name });
  }
}
