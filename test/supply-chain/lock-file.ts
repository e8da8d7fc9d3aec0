/** `package.json` and `package-lock.json`. */
import { readFileSync } from "node:fs";

export interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

export interface LockFile {
  /** By path; the one of the project itself is empty. */
  readonly packages: Readonly<Record<string, Locked>>;
}

export const ROOT = new URL("../../", import.meta.url);

export const manifest = readJson("package.json") as Manifest;
export const lockFile = readJson("package-lock.json") as LockFile;

/** Path and entry of each package that the proxy runs on. */
export const production = Object.entries(lockFile.packages).filter(
  ([path, { dev, devOptional }]) => path !== "" && dev !== true && devOptional !== true,
);

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, ROOT), "utf8"));
}
