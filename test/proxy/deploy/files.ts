// The files of `proxy/deploy/` and the Dockerfile, read by parsers of their languages.
import { readFileSync } from "node:fs";
import { parse as parseToml } from "smol-toml";
import { parseAllDocuments } from "yaml";

export const checkout = new URL("../../../", import.meta.url);

function text(path: string): string {
  return readFileSync(new URL(path, checkout), "utf8");
}

/** Each document of a file; a mistake in any is an error. */
export function yaml(name: string): readonly unknown[] {
  return parseAllDocuments(text(`proxy/deploy/${name}`)).map((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw problem;
    return document.toJS() as unknown;
  });
}

export function toml(name: string): unknown {
  return parseToml(text(`proxy/deploy/${name}`));
}

/** `Section.Key` of a systemd unit, with each of its values. */
export function unit(name: string): ReadonlyMap<string, readonly string[]> {
  const settings = new Map<string, string[]>();
  let section = "";
  for (const line of text(`proxy/deploy/${name}`).split("\n")) {
    if (/^(#|$)/.test(line)) continue;
    const [, opened, key = "", value = ""] = /^(?:\[(\w+)\]|(\w+)=(.*))$/.exec(line) ?? [];
    if (opened !== undefined) section = opened;
    else if (key === "") throw new Error(`no line of a unit: ${line}`);
    else settings.getOrInsert(`${section}.${key}`, []).push(value);
  }
  return settings;
}

/** The instructions of the Dockerfile, in order; lines that are continued are one. */
export function dockerfile(): readonly (readonly [instruction: string, argument: string])[] {
  const lines = text("proxy/Dockerfile")
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll("\\\n", " ");
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, instruction, argument] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
      if (instruction === undefined || argument === undefined) {
        throw new Error(`no line of a Dockerfile: ${line}`);
      }
      return [instruction, argument] as const;
    });
}

/** `300s`: seconds. */
export function seconds(time: string): number {
  const [, digits] = /^(\d+)s$/.exec(time) ?? [];
  if (digits === undefined) throw new Error(`no seconds: ${time}`);
  return Number(digits);
}
