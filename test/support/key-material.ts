// What a server that speaks TLS is made of by its directives, and what becomes of it.
import {
  type News,
  type Settings,
  readConfiguration,
  rereadConfiguration,
} from "../../proxy/config/index.ts";
import { atOnce } from "../../proxy/slices.ts";
import type { Certificate } from "./certificate.ts";
import type { CertificateFiles } from "./certificate-folder.ts";

function written(files: CertificateFiles, directives: string) {
  files.write("conf", `mail { auth_http h; server { listen 143; starttls on; ${directives} } }`);
  return { file: "conf", prefix: files.path, globals: "", errorLog: null };
}

export function read(files: CertificateFiles, directives: string): Settings {
  return readConfiguration(written(files, directives)).settings;
}

/** A reload. */
export function reread(files: CertificateFiles, directives: string, before: Settings): Settings {
  return atOnce(rereadConfiguration(written(files, directives), before.keyMaterials)).settings;
}

/** What a client that names a host is shown, or nobody. */
export function shown({ keyMaterials }: Settings, host?: string): readonly Certificate[] {
  const material = keyMaterials.get(0)!;
  const { standard, names } = material.shown;
  const id = host === undefined ? undefined : names.get(host);
  return (id === undefined || id === "" ? standard : material.pairs(id)) ?? [];
}

/** Looks twice, so that what the first look finds has lasted. */
export function look({ keyMaterials }: Settings): News {
  const finish = (): News => {
    const looking = keyMaterials.look();
    for (;;) {
      const { done, value } = looking.next();
      if (done) return value;
    }
  };
  finish();
  return finish();
}
