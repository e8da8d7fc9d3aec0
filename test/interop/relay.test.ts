import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe } from "node:test";
import { selfSigned } from "../support/certificates/certificate.ts";
import { type MailProxy, startNginx, startPostern } from "../support/real-servers/index.ts";
import { freePorts } from "../support/programs/ports.ts";
import { lacking } from "../support/programs/requirements.ts";
import { endToEnd } from "./end-to-end.ts";

const skip = lacking("nginx", "dovecot", "postfix", "curl", "swaks");

describe("Stock nginx with our worker behind HTTPS, by auth_http_relay", { skip }, () =>
  endToEnd(startRelayed),
);

/** nginx asks the relay of Postern, the relay asks a server with TLS, and that server asks the worker. */
async function startRelayed(config: string): Promise<MailProxy> {
  const [, worker = ""] = /auth_http (\S+);/.exec(config) ?? [];
  const { key, certificate } = await selfSigned();
  const front = createServer({ key, cert: certificate }, (asked, reply) => {
    const passedOn = request(worker, { headers: asked.headers }, (answer) => {
      reply.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(reply);
    });
    passedOn.on("error", () => reply.destroy());
    passedOn.end();
  }).listen(0, "127.0.0.1");
  await once(front, "listening");
  const { port } = front.address() as AddressInfo;
  const [relay = 0] = await freePorts(1);
  const postern = await startPostern(`
    error_log stderr info;
    mail {
      auth_http https://localhost:${port}/auth;
      auth_http_ssl_verify off;
      auth_http_relay 127.0.0.1:${relay};
    }`);
  await postern.program.listening([relay]);
  const nginx = await startNginx(config.replace(worker, `http://127.0.0.1:${relay}/auth`));
  return {
    ...nginx,
    async stop(signal) {
      await nginx.stop(signal);
      await postern.stop();
      front.close();
      front.closeAllConnections();
    },
  };
}
