/** The proxies that are compared, each started as an operator does. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeCertificate } from "../support/certificates/certificate.ts";
import { Program } from "../support/programs/program.ts";
import { posternEntry } from "../support/real-servers/index.ts";
import { type Scratch, makeScratch } from "../support/programs/scratch.ts";
import { type ServerPorts, type Variant, configuration, freeServerPorts } from "./configuration.ts";
import { writeRsaCertificate } from "./rsa-certificate.ts";

export const NGINX_MODULE = "/usr/lib/nginx/modules/ngx_mail_module.so";
const NGINX_GLOBALS = `daemon off; pid nginx.pid; load_module ${NGINX_MODULE};`;
const FLOOR = fileURLToPath(new URL("floor/main.ts", import.meta.url));

const LOGGED = "access_log access.log json;";
const UNLOGGED = "access_log off;";

/** nginx and Postern have one worker unless the name says two; `quiet` is Postern without an access log. */
const PROXIES = {
  nginx: { program: "nginx", workers: 1, own: "" },
  nginxTwo: { program: "nginx", workers: 2, own: "" },
  postern: { program: "postern", workers: 1, own: LOGGED },
  posternTwo: { program: "postern", workers: 2, own: LOGGED },
  quiet: { program: "postern", workers: 1, own: UNLOGGED },
  floor: { program: "floor", workers: 1, own: "" },
} as const satisfies Record<string, Variant & { program: "nginx" | "postern" | "floor" }>;

export type ProxyName = keyof typeof PROXIES;

export interface Proxy {
  readonly name: ProxyName;
  readonly pid: number;
  readonly ports: ServerPorts;
  stop(): Promise<void>;
}

/** A proxy that can be started: its files are written. */
export interface Prepared {
  readonly ports: ServerPorts;
  readonly command: readonly [program: string, args: readonly string[]];
  readonly scratch: Scratch;
}

/** @param endpoint the port of the lookup endpoint */
export async function prepare(name: ProxyName, endpoint: number): Promise<Prepared> {
  const proxy = PROXIES[name];
  const ports = await freeServerPorts();
  const scratch = await makeScratch();
  const { path } = scratch;
  await Promise.all([writeCertificate(path), writeRsaCertificate(path)]);
  const file = join(path, "mail.conf");
  await writeFile(file, configuration(ports, endpoint, proxy));
  const prefix = ["-p", `${path}/`, "-c", file];
  const commands = {
    nginx: ["/usr/sbin/nginx", ["-e", "stderr", ...prefix, "-g", NGINX_GLOBALS]],
    postern: [process.execPath, [posternEntry, ...prefix]],
    floor: [process.execPath, [FLOOR, path, JSON.stringify({ ...ports, endpoint })]],
  } as const;
  return { ports, command: commands[proxy.program], scratch };
}

/** Resolves when the proxy accepts connections. */
export async function startProxy(name: ProxyName, endpoint: number): Promise<Proxy> {
  const { ports, command, scratch } = await prepare(name, endpoint);
  const program = new Program(...command);
  const stop = async (): Promise<void> => {
    await program.stop();
    await scratch.remove();
  };
  const { smtp, ...withoutSmtp } = ports;
  try {
    await program.listening(
      Object.values(name === "floor" ? withoutSmtp : { smtp, ...withoutSmtp }),
    );
    return { name, pid: program.pid ?? 0, ports, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
