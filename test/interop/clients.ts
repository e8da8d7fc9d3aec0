// curl, imapflow, swaks and nodemailer, each in the clear, with STARTTLS and with TLS.
import { readFile } from "node:fs/promises";
import { ImapFlow } from "imapflow";
import { createTransport } from "nodemailer";
import { run } from "../support/programs/program.ts";
import { alice, type Service } from "./mail-service.ts";

export const securities = ["in the clear", "with STARTTLS", "with TLS"] as const;
export type Security = (typeof securities)[number];

type Account = { readonly address: string; readonly password: string };
type Protocol = "imap" | "pop3" | "smtp";

const host = "127.0.0.1";

function port({ ports }: Service, protocol: Protocol, security: Security): number {
  return ports[security === "with TLS" ? (`${protocol}s` as const) : protocol];
}

/** Runs curl on a URL of the service; the path follows the port. */
export async function curl(
  service: Service,
  protocol: Protocol,
  security: Security,
  { account = alice, path = "", args = [], input = "" }: CurlOptions = {},
) {
  const scheme = security === "with TLS" ? `${protocol}s` : protocol;
  return run(
    "curl",
    [
      "-sS",
      "--cacert",
      service.certificate,
      "--user",
      `${account.address}:${account.password}`,
      ...(security === "with STARTTLS" ? ["--ssl-reqd"] : []),
      ...args,
      `${scheme}://${host}:${port(service, protocol, security)}/${path}`,
    ],
    { input },
  );
}

type CurlOptions = { account?: Account; path?: string; args?: readonly string[]; input?: string };

/** An imapflow client, connected and logged in. */
export async function imapflow(
  service: Service,
  security: Security,
  account: Account = alice,
): Promise<ImapFlow> {
  const client = new ImapFlow({
    host,
    port: port(service, "imap", security),
    secure: security === "with TLS",
    doSTARTTLS: security === "with STARTTLS",
    tls: { ca: await readFile(service.certificate) },
    auth: { user: account.address, pass: account.password },
    logger: false,
  });
  await client.connect();
  return client;
}

type Submission = { readonly to: string; readonly subject: string; readonly text: string };

/** Submits a message as Alice; rejects where it is not accepted. */
type Submit = (service: Service, security: Security, mail: Submission) => Promise<void>;

export const submitters: Record<"curl" | "swaks" | "nodemailer", Submit> = {
  curl: async (service, security, { to, subject, text }) => {
    const input = `From: ${alice.address}\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\n${text}\r\n`;
    const args = ["--mail-from", alice.address, "--mail-rcpt", to, "-T", "-"];
    succeeded(await curl(service, "smtp", security, { args, input }));
  },

  swaks: async (service, security, { to, subject, text }) => {
    const verify = ["--tls-verify", "--tls-ca-path", service.certificate];
    const tls: Record<Security, readonly string[]> = {
      "in the clear": [],
      "with STARTTLS": ["--tls", ...verify],
      "with TLS": ["--tls-on-connect", ...verify],
    };
    const server = ["--server", host, "--port", `${port(service, "smtp", security)}`];
    const login = ["--auth-user", alice.address, "--auth-password", alice.password];
    const envelope = ["--from", alice.address, "--to", to];
    const message = ["--h-Subject", subject, "--body", text];
    succeeded(await run("swaks", [...server, ...tls[security], ...login, ...envelope, ...message]));
  },

  nodemailer: async (service, security, { to, subject, text }) => {
    const transport = createTransport({
      host,
      port: port(service, "smtp", security),
      secure: security === "with TLS",
      requireTLS: security === "with STARTTLS",
      ignoreTLS: security === "in the clear",
      tls: { ca: await readFile(service.certificate) },
      auth: { user: alice.address, pass: alice.password },
    });
    await transport.sendMail({ from: alice.address, to, subject, text });
    transport.close();
  },
};

function succeeded({ end, stdout, stderr }: Awaited<ReturnType<typeof run>>): void {
  if (end !== 0) throw new Error(`ended with ${end}:\n${stdout}${stderr}`);
}
