// One configuration for both proxies, in the language that they share.
import { freePorts } from "../support/ports.ts";
import type { EndpointPorts } from "./processes/endpoint.ts";
import type { ProtocolName } from "./processes/client.ts";

/** The ways in: `far` has the far lookup endpoint, `rsa` the other certificate. */
const servers = {
  imap: { protocol: "imap" },
  pop3: { protocol: "pop3" },
  smtp: { protocol: "smtp" },
  imaps: { protocol: "imap", tls: "certificate" },
  imapsRsa: { protocol: "imap", tls: "rsa" },
  imapFar: { protocol: "imap", endpoint: "far" },
  imapsFar: { protocol: "imap", tls: "certificate", endpoint: "far" },
} as const satisfies Record<
  string,
  { protocol: ProtocolName; tls?: "certificate" | "rsa"; endpoint?: keyof EndpointPorts }
>;

export type Door = keyof typeof servers;

export type Doors = Readonly<Record<Door, number>>;

export type Places = {
  readonly endpoint: EndpointPorts;
  /** PEM files of an RSA certificate. The other one lies beside the configuration. */
  readonly rsa: { readonly certificate: string; readonly key: string };
};

export async function freeDoors(): Promise<Doors> {
  const names = Object.keys(servers);
  const ports = await freePorts(names.length);
  return Object.fromEntries(names.map((name, index) => [name, ports[index]])) as Doors;
}

/**
 * Both log what they log by default: nginx errors, Postern also its line a session.
 *
 * @param own lines that only one of the two understands
 */
export function configuration(doors: Doors, { endpoint, rsa }: Places, own: string): string {
  const blocks = Object.entries(servers).map(([name, server]) => {
    const {
      protocol,
      tls,
      endpoint: distance,
    } = { tls: null, endpoint: "near" as const, ...server };
    const files = tls === "rsa" ? rsa : { certificate: "certificate.pem", key: "key.pem" };
    return `  server {
    listen 127.0.0.1:${doors[name as Door]}${tls === null ? "" : " ssl"};
    protocol ${protocol};
    auth_http http://127.0.0.1:${endpoint[distance]}/auth;
    ssl_certificate ${files.certificate};
    ssl_certificate_key ${files.key};
  }`;
  });
  return `
worker_processes 1;
error_log error.log error;
events { worker_connections 16384; }
mail {
  server_name proxy.example.test;
  proxy_smtp_auth on;
  proxy_pass_error_message on;
  xclient off;
  ${own}
${blocks.join("\n")}
}
`;
}
