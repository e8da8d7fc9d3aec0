// Finds the real programs that tests need. `test/interop/install` installs them on Debian.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

type Tool =
  | "dovecot"
  | "postfix"
  | "nginx"
  | "nsd"
  | "squid"
  | "tinyproxy"
  | "dante"
  | "nss-wrapper"
  | "faketime"
  | "curl"
  | "swaks"
  | "doveadm"
  | "mkpasswd"
  | "htpasswd"
  | "openssl"
  | "perl"
  | "gcc"
  | "libssl";

/** Commands or paths. */
const files: Record<Tool, readonly string[]> = {
  dovecot: ["dovecot", "/usr/lib/dovecot/imap", "/usr/lib/dovecot/pop3"],
  postfix: ["postfix", "/usr/lib/postfix/sbin/master"],
  nginx: ["nginx", "/usr/lib/nginx/modules/ngx_mail_module.so"],
  nsd: ["nsd"],
  squid: ["squid", "/usr/lib/squid/basic_ncsa_auth"],
  tinyproxy: ["tinyproxy"],
  dante: ["danted"],
  "nss-wrapper": [],
  faketime: [],
  curl: ["curl"],
  swaks: ["swaks"],
  doveadm: ["doveadm"],
  mkpasswd: ["mkpasswd"],
  htpasswd: ["htpasswd"],
  openssl: ["openssl"],
  perl: ["perl"],
  gcc: ["gcc", "/usr/include/stdio.h"],
  libssl: ["/usr/include/openssl/ssl.h"],
};

/** swaks needs a Perl library for TLS. */
const swaksHasTls = () => spawnSync("perl", ["-MNet::SSLeay", "-e", "1"]).status === 0;

/** The loader prints an error for a library that it does not find. */
const isLibrary = (name: string) =>
  spawnSync("/bin/true", { env: { LD_PRELOAD: name } }).stderr.length === 0;

/** Debian keeps the library outside of the loader's path. */
export const FAKETIME = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/libfaketimeMT.so.1`;

/** These servers start as root and change to other users. */
const wantRoot: readonly Tool[] = ["dovecot", "postfix", "squid", "dante"];

/** These need users or hosts that the system does not have. */
const wantNames: readonly Tool[] = ["dante", "nss-wrapper"];

/** The reason to skip tests that need these tools, or false. Throws under CI=true, where no test may be skipped. */
export function lacking(...tools: Tool[]): string | false {
  const reasons: string[] = tools
    .filter((tool) => !files[tool].every(isHere))
    .map((tool) => `no ${tool}`);
  if (tools.some((tool) => wantRoot.includes(tool)) && process.getuid?.() !== 0) {
    reasons.push("not root");
  }
  if (tools.some((tool) => wantNames.includes(tool)) && !isLibrary("libnss_wrapper.so")) {
    reasons.push("no libnss-wrapper");
  }
  if (tools.includes("faketime") && !isLibrary(FAKETIME)) reasons.push("no libfaketime");
  if (tools.includes("swaks") && !swaksHasTls()) reasons.push("no TLS for swaks");
  if (reasons.length === 0) return false;
  const reason = reasons.join(", ");
  if (process.env["CI"] === "true") throw new Error(`interop tests cannot run: ${reason}`);
  return reason;
}

function isHere(file: string): boolean {
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return directories.some((directory) =>
    existsSync(file.startsWith("/") ? file : join(directory, file)),
  );
}
