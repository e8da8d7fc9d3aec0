// Real outbound proxies: squid and tinyproxy for CONNECT, dante for SOCKS5.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Certificate, writeCertificate } from "../certificates/certificate.ts";
import { freePorts } from "../programs/ports.ts";
import { processTree } from "../programs/process-tree.ts";
import { Program, run } from "../programs/program.ts";
import { makeScratch } from "../programs/scratch.ts";

export type OutboundPeer = {
  /** The ports on which it listens. */
  readonly ports: readonly number[];
  /** Ends it by SIGKILL, with all its processes. */
  kill(): Promise<void>;
  /** Starts it again on the same ports, after `kill`. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

type Login = { readonly user: string; readonly password: string };

/** @returns with a port in the clear, and one under TLS with this certificate */
export async function startSquid(
  login: Login,
): Promise<OutboundPeer & { readonly certificate: Certificate; readonly certificateFile: string }> {
  const scratch = await makeScratch();
  const [clear = 0, tls = 0] = await freePorts(2);
  const certificate = await writeCertificate(scratch.path);
  const file = (name: string): string => join(scratch.path, name);
  // Squid reads its files, and writes its log, as another user.
  await chmod(file("key.pem"), 0o644);
  await mkdir(file("log"));
  await chmod(file("log"), 0o777);
  await succeed("htpasswd", ["-bc", file("passwords"), login.user, login.password]);
  await writeFile(
    file("squid.conf"),
    `
http_port 127.0.0.1:${clear}
https_port 127.0.0.1:${tls} tls-cert=${file("certificate.pem")} tls-key=${file("key.pem")}
auth_param basic program /usr/lib/squid/basic_ncsa_auth ${file("passwords")}
auth_param basic children 1
acl known proxy_auth REQUIRED
http_access allow CONNECT known
http_access deny all
visible_hostname proxy.example.test
cache_effective_user proxy
dns_nameservers 127.0.0.1
pid_filename none
pinger_enable off
cache deny all
access_log none
cache_log ${file("log/cache.log")}
coredump_dir ${scratch.path}
shutdown_lifetime 0 seconds
`,
  );
  const launch = () => new Program("/usr/sbin/squid", ["-N", "-f", file("squid.conf")]);
  const running = await started(launch, [clear, tls], scratch.remove);
  return { ...running, certificate, certificateFile: file("certificate.pem") };
}

export async function startTinyproxy(login: Login): Promise<OutboundPeer> {
  const scratch = await makeScratch();
  const [port = 0] = await freePorts(1);
  const file = join(scratch.path, "tinyproxy.conf");
  await writeFile(
    file,
    `
Listen 127.0.0.1
Port ${port}
Timeout 60
MaxClients 500
LogLevel Connect
BasicAuth ${login.user} ${login.password}
`,
  );
  const launch = () => new Program("tinyproxy", ["-d", "-c", file]);
  return started(launch, [port], scratch.remove);
}

/** Dante knows the users of the system only. nss_wrapper adds ours. */
export async function startDante(login: Login): Promise<OutboundPeer> {
  const scratch = await makeScratch();
  const [port = 0] = await freePorts(1);
  const file = (name: string): string => join(scratch.path, name);
  const hash = await succeed("openssl", ["passwd", "-6", login.password]);
  await writeFile(
    file("passwd"),
    `root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n${login.user}:x:1000:65534::/:/bin/sh\n`,
  );
  await writeFile(file("group"), "root:x:0:\nnogroup:x:65534:\n");
  await writeFile(file("shadow"), `${login.user}:${hash.trim()}:19000:0:99999:7:::\n`);
  await writeFile(
    file("danted.conf"),
    `
logoutput: stderr
internal: 127.0.0.1 port = ${port}
external: 127.0.0.1
clientmethod: none
socksmethod: username
user.privileged: root
user.unprivileged: nobody
client pass {
  from: 127.0.0.1/32 to: 0.0.0.0/0
}
socks pass {
  from: 127.0.0.1/32 to: 127.0.0.1/32
  command: connect
  socksmethod: username
}
`,
  );
  const env = {
    ...process.env,
    LD_PRELOAD: "libnss_wrapper.so",
    NSS_WRAPPER_PASSWD: file("passwd"),
    NSS_WRAPPER_GROUP: file("group"),
    NSS_WRAPPER_SHADOW: file("shadow"),
  };
  const launch = () =>
    new Program("/usr/sbin/danted", ["-N", "1", "-f", file("danted.conf")], { env });
  return started(launch, [port], scratch.remove);
}

async function started(
  launch: () => Program,
  ports: readonly number[],
  remove: () => Promise<void>,
): Promise<OutboundPeer> {
  let program = launch();
  const stop = async (): Promise<void> => {
    await program.stop();
    await remove();
  };
  try {
    await program.listening(ports);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ports,
    stop,
    kill: async () => {
      const [, ...descendants] = await processTree(program.pid!);
      program.signal("SIGKILL");
      for (const pid of descendants) process.kill(pid, "SIGKILL");
      await program.ended;
    },
    restart: async () => {
      program = launch();
      await program.listening(ports);
    },
  };
}

async function succeed(command: string, args: readonly string[]): Promise<string> {
  const { end, stdout, stderr } = await run(command, args);
  if (end !== 0) throw new Error(`${command} ended with ${end}: ${stderr}`);
  return stdout;
}
