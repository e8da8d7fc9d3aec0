// Reads configurations that tests write as text: their settings, or their first error.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkTls } from "../../../proxy/certificates/check.ts";
import type { LoadedSettings } from "../../../proxy/certificates/index.ts";
import { loadCertificates } from "../../../proxy/certificates/load.ts";
import {
  ConfigError,
  type ServerSettings,
  readConfiguration,
} from "../../../proxy/config/index.ts";
import { atOnce } from "../../../proxy/slices.ts";

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** Reads `main.conf`; the other files lie beside it, and the prefix is the directory above. */
export function configure(text: string, files: Files = {}): LoadedSettings {
  const prefix = mkdtempSync(join(tmpdir(), "postern-"));
  try {
    const directory = join(prefix, "conf");
    for (const [name, content] of Object.entries({ ...files, "main.conf": text })) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), content);
    }
    const source = { file: "conf/main.conf", prefix, globals: "", errorLog: null };
    const configuration = readConfiguration(source);
    const settings = atOnce(loadCertificates(configuration, null));
    checkTls(configuration.tls, settings.certificates);
    return settings;
  } catch (error) {
    if (error instanceof ConfigError) error.message = error.message.replaceAll(prefix, "");
    throw error;
  } finally {
    rmSync(prefix, { recursive: true });
  }
}

/** The first error; paths begin at `/conf`. */
export function answer(text: string, files: Files = {}): ConfigError {
  try {
    configure(text, files);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the configuration holds no mistake");
}

/** The message of the first error. */
export function mistake(text: string, files: Files = {}): string {
  return answer(text, files).message;
}

/** The only server of a mail block that holds these directives. */
export function server(inServer: string, inMail = "", files: Files = {}): ServerSettings {
  const [settings] = configure(mailBlock(inServer, inMail), files).servers;
  return settings!;
}

/** One line, so that mistakes are on line 1. */
export function mailBlock(inServer: string, inMail = ""): string {
  return `mail { auth_http 127.0.0.1:9; ${inMail} server { listen 143; ${inServer} } }`;
}
