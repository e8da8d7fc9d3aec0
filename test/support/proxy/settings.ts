// A server's settings as a configuration file would give them: defaults from the table, plus what a test changes.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServerSettings, readConfiguration } from "../../../proxy/config/index.ts";
import type { ProtocolName } from "../../../shared/lookup.ts";

/** @param changes values as the configuration reader would make them; certificates need not exist */
export function serverSettings(
  protocol: ProtocolName,
  changes: Partial<ServerSettings> = {},
): ServerSettings {
  const server = `server { listen 127.0.0.1:1; protocol ${protocol}; }`;
  const text = `mail { server_name mx.example.test; auth_http 127.0.0.1:1; ${server} }`;
  const directory = mkdtempSync(join(tmpdir(), "postern-"));
  try {
    const file = join(directory, "mail.conf");
    writeFileSync(file, text);
    const [settings] = readConfiguration({
      file,
      prefix: directory,
      globals: "",
      errorLog: null,
    }).settings.servers;
    return { ...settings!, ...changes };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
