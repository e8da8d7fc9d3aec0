// The certificates of a server, loaded from directives, and polled.
import type { LoadedSettings, Renewal } from "../../../proxy/certificates/index.ts";
import { loadCertificates } from "../../../proxy/certificates/load.ts";
import { readConfiguration } from "../../../proxy/config/index.ts";
import { atOnce } from "../../../proxy/slices.ts";
import type { Certificate } from "./certificate.ts";
import type { CertificateFiles } from "./certificate-folder.ts";

/** A start with one server that speaks TLS. */
export function read(files: CertificateFiles, directives: string): LoadedSettings {
  return load(files, directives, null);
}

/** A reload. */
export function reread(
  files: CertificateFiles,
  directives: string,
  before: LoadedSettings,
): LoadedSettings {
  return load(files, directives, before);
}

function load(
  files: CertificateFiles,
  directives: string,
  before: LoadedSettings | null,
): LoadedSettings {
  files.write("conf", `mail { auth_http h; server { listen 143; starttls on; ${directives} } }`);
  const options = { file: "conf", prefix: files.path, globals: "", errorLog: null };
  return atOnce(loadCertificates(readConfiguration(options), before?.certificates ?? null));
}

/** The certificates for a client that names that host, or none. */
export function shown({ certificates }: LoadedSettings, host?: string): readonly Certificate[] {
  const set = certificates.get(0)!;
  const { default: pairs, names } = set.renewable;
  const id = host === undefined ? undefined : names.get(host);
  return (id === undefined || id === "" ? pairs : set.pairs(id)) ?? [];
}

/** Polls twice, so that a change has lasted. */
export function poll({ certificates }: LoadedSettings): Renewal {
  atOnce(certificates.poll());
  return atOnce(certificates.poll());
}
