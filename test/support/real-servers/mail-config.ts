// One configuration for stock nginx and Postern, which read the same language.
import { freePorts } from "../programs/ports.ts";

/** The six listening ports. */
export type MailPorts = Record<"imap" | "imaps" | "pop3" | "pop3s" | "smtp" | "smtps", number>;

export async function freeMailPorts(): Promise<MailPorts> {
  const [imap = 0, imaps = 0, pop3 = 0, pop3s = 0, smtp = 0, smtps = 0] = await freePorts(6);
  return { imap, imaps, pop3, pop3s, smtp, smtps };
}

/** `directives` are added to the mail block; the certificate is the one beside the file. */
export function mailConfig(ports: MailPorts, authHttp: string, directives = ""): string {
  const servers = Object.entries(ports).map(([name, port]) => {
    const [protocol, tls] = name.endsWith("s") ? [name.slice(0, -1), " ssl"] : [name, ""];
    return `  server { listen 127.0.0.1:${port}${tls}; protocol ${protocol}; }`;
  });
  return `
error_log stderr info;
events {}
mail {
  server_name proxy.example.test;
  auth_http ${authHttp};
  auth_http_header X-Auth-Key development;
  proxy_smtp_auth on;
  proxy_pass_error_message on;
  xclient off;
  starttls on;
  ssl_certificate certificate.pem;
  ssl_certificate_key key.pem;
  ${directives}
${servers.join("\n")}
}
`;
}
