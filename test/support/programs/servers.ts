// Starts Postern with as many servers in one configuration as a test needs.
import { type MailProxy, startPostern } from "../real-servers/index.ts";
import { freePorts } from "./ports.ts";

export type Servers<Name extends string> = {
  readonly ports: Readonly<Record<Name, number>>;
  readonly proxy: MailProxy;
  /** The access log so far, a record a session. */
  sessions(): readonly Readonly<Record<string, unknown>>[];
  stop(): Promise<void>;
};

/**
 * @param mail directives of the `mail` block
 * @param servers directives of each `server` block; PORT stands for its port
 * @param main directives before the mail block
 */
export async function startServers<Name extends string>(
  mail: string,
  servers: Readonly<Record<Name, string>>,
  main = "",
): Promise<Servers<Name>> {
  const names = Object.keys(servers) as Name[];
  const free = await freePorts(names.length);
  const ports = Object.fromEntries(names.map((name, index) => [name, free[index]!]));
  const blocks = names.map((name) =>
    `server { ${servers[name]} }`.replaceAll("PORT", `${ports[name]}`),
  );
  const proxy = await startPostern(`
error_log stderr info;
${main}
events {}
mail {
  server_name mx.example.test;
  ssl_certificate certificate.pem;
  ssl_certificate_key key.pem;
  ${mail}
  ${blocks.join("\n  ")}
}
`);
  return {
    ports: ports as Record<Name, number>,
    proxy,
    sessions: () =>
      proxy.program.stdout
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    stop: () => proxy.stop(),
  };
}

/** One server in the clear for each protocol. */
export const inTheClear = {
  imap: "listen 127.0.0.1:PORT; protocol imap;",
  pop3: "listen 127.0.0.1:PORT; protocol pop3;",
  smtp: "listen 127.0.0.1:PORT; protocol smtp; proxy_smtp_auth on; xclient off;",
};
