// Stock nginx or Postern, run as one process with all servers that the scripts need.
import { type MailProxy, startNginx, startPostern } from "../../support/real-servers/index.ts";
import { freePorts } from "../../support/programs/ports.ts";
import type { Backends } from "./backends.ts";
import type { ServerSpec } from "./script.ts";

export class ComparedProxy implements AsyncDisposable {
  readonly #proxy: MailProxy;
  readonly #ports: ReadonlyMap<string, number>;

  private constructor(proxy: MailProxy, ports: ReadonlyMap<string, number>) {
    this.#proxy = proxy;
    this.#ports = ports;
  }

  static nginx(specs: readonly ServerSpec[], backends: Backends): Promise<ComparedProxy> {
    return ComparedProxy.#start(startNginx, specs, backends, () => "");
  }

  static postern(specs: readonly ServerSpec[], backends: Backends): Promise<ComparedProxy> {
    return ComparedProxy.#start(startPostern, specs, backends, ({ posternOnly }) => posternOnly);
  }

  static async #start(
    start: (config: string) => Promise<MailProxy>,
    specs: readonly ServerSpec[],
    { authHttp, nameServer }: Backends,
    more: (spec: ServerSpec) => string,
  ): Promise<ComparedProxy> {
    const distinct = new Map(specs.map((spec) => [key(spec), spec]));
    const free = await freePorts(distinct.size);
    const ports = new Map([...distinct.keys()].map((name, index) => [name, free[index] ?? 0]));
    const servers = [...distinct].map(([name, { protocol, listen, directives, ...spec }]) => {
      const address = `127.0.0.1:${ports.get(name)} ${listen}`;
      const only = more({ protocol, listen, directives, ...spec });
      const text = `listen ${address}; protocol ${protocol}; ${directives} ${only}`;
      return `server { ${text.replaceAll("NAME_SERVER", nameServer)} }`;
    });
    return new ComparedProxy(await start(config(servers, authHttp)), ports);
  }

  port(spec: ServerSpec): number {
    return this.#ports.get(key(spec)) ?? 0;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#proxy.stop();
  }
}

function key(spec: ServerSpec): string {
  return [spec.protocol, spec.listen, spec.directives, spec.posternOnly].join("|");
}

/** The level is `error`, since nginx 1.22 at `info` damages the commands behind a refused MAIL when it logs that one. */
function config(servers: readonly string[], authHttp: string): string {
  return `
error_log stderr error;
events {}
mail {
  server_name mx.example.test;
  auth_http ${authHttp};
  auth_http_header X-Auth-Key key;
  auth_http_header X-Second "two words";
  ssl_certificate certificate.pem;
  ssl_certificate_key key.pem;
  ${servers.join("\n  ")}
}
`;
}
