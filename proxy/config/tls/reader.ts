/** Collects the TLS of all servers. Servers with the same directives share an entry, and so its files and contexts. */
import type { Place } from "../language/error.ts";
import { type ClientTlsValues, clientTlsSettings } from "./client-tls.ts";
import { type TlsUser, serverTlsSettings } from "./server-tls.ts";
import type {
  ClientTlsSettings,
  ServerTlsReference,
  ServerTlsSettings,
  TlsSettings,
} from "./settings.ts";
import type { PlaceOf, TlsValues } from "./ssl.ts";

export class TlsReader {
  /** Directory of the main configuration file. */
  readonly #directory: string;
  readonly #servers: ServerTlsSettings[] = [];
  readonly #clients: ClientTlsSettings[] = [];
  /** Entries by the text of their directives. */
  readonly #serverEntries = new Map<string, ServerTlsReference>();
  readonly #clientEntries = new Map<string, number>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  get settings(): TlsSettings {
    return { servers: this.#servers, clients: this.#clients };
  }

  /**
   * @param serverName `server_name`
   * @throws ConfigError for a value that cannot be used
   */
  read(values: TlsValues, user: TlsUser, placeOf: PlaceOf, serverName: string): ServerTlsReference {
    // Only the certificates of a directory depend on the name.
    const name = values.ssl_certificate.length > 0 ? "" : serverName;
    return this.#serverEntries.getOrInsertComputed(textOf({ ...values, name }), () => {
      const settings = serverTlsSettings(values, user, name, this.#directory, placeOf);
      const { mode } = settings.clients;
      const index = this.#servers.push(settings) - 1;
      return { index, clients: mode === "off" ? null : { mode } };
    });
  }

  /**
   * TLS as a client.
   *
   * @param place of the server's block
   * @returns its index in `TlsSettings.clients`
   * @throws ConfigError for a value that cannot be used
   */
  readAsClient(values: ClientTlsValues, place: Place): number {
    return this.#clientEntries.getOrInsertComputed(
      textOf(values),
      () => this.#clients.push(clientTlsSettings(values, this.#directory, place)) - 1,
    );
  }
}

/** The same for the same directives in different places. */
function textOf(values: object): string {
  return JSON.stringify(values, (name, value: unknown) => (name === "place" ? undefined : value));
}
