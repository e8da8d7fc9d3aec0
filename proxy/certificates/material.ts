/** TLS as worker processes get it: contents of files in place of paths. */
import type { ClientTlsOptions, KeyPair, ServerTlsOptions } from "../transport/index.ts";

/** The indices are those of the settings. */
export interface TlsMaterial {
  readonly servers: readonly ServerMaterial[];
  readonly clients: readonly ClientTlsOptions[];
}

export interface ServerMaterial {
  readonly options: ServerTlsOptions;
  readonly renewable: RenewableMaterial;
}

/** The part that changes when files are renewed. */
export interface RenewableMaterial {
  /** For clients that ask for no known name; one pair for each type of key. */
  readonly default: readonly KeyPair[];
  /** Ids of other pairs by host name or `*.` pattern; empty for the default. A worker asks for them when needed. */
  readonly names: ReadonlyMap<string, string>;
  /** 48 bytes each. The first encrypts, all decrypt. Empty for the keys of the process. */
  readonly ticketKeys: readonly Uint8Array[];
}
