/** One configuration for nginx and Postern, in the language that they share. */
import { freePorts } from "../support/programs/ports.ts";

/** Servers of the configuration; the floor has all but `smtp`. */
const SERVERS = {
  imap: { protocol: "imap", certificate: null },
  pop3: { protocol: "pop3", certificate: null },
  smtp: { protocol: "smtp", certificate: null },
  imaps: { protocol: "imap", certificate: "certificate.pem", key: "key.pem" },
  imapsRsa: { protocol: "imap", certificate: "rsa-certificate.pem", key: "rsa-key.pem" },
} as const;

export type ServerName = keyof typeof SERVERS;

export type ServerPorts = Readonly<Record<ServerName, number>>;

export async function freeServerPorts(): Promise<ServerPorts> {
  const names = Object.keys(SERVERS);
  const ports = await freePorts(names.length);
  return Object.fromEntries(names.map((name, index) => [name, ports[index]])) as ServerPorts;
}

export interface Variant {
  readonly workers: number;
  /** Directives that only one of the two proxies has. */
  readonly own: string;
}

/** @param endpoint the port of the lookup endpoint */
export function configuration(
  ports: ServerPorts,
  endpoint: number,
  { workers, own }: Variant,
): string {
  const blocks = Object.entries(SERVERS).map(([name, server]) => {
    const listen = `listen 127.0.0.1:${ports[name as ServerName]}`;
    const tls =
      server.certificate === null
        ? ""
        : `ssl_certificate ${server.certificate}; ssl_certificate_key ${server.key};`;
    const ssl = tls === "" ? "" : " ssl";
    return `  server { ${listen}${ssl} backlog=16384; protocol ${server.protocol}; ${tls} }`;
  });
  return `
worker_processes ${workers};
worker_rlimit_nofile 20000;
error_log error.log error;
events { worker_connections 19900; multi_accept on; }
mail {
  server_name proxy.example.test;
  auth_http 127.0.0.1:${endpoint}/auth;
  proxy_pass_error_message on;
  imap_capabilities IMAP4rev1 IDLE ID;
  smtp_auth plain login;
  xclient off;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:S:20m;
  ${own}
${blocks.join("\n")}
}
`;
}
