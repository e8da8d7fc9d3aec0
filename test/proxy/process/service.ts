// A mail service for the length of a test: Postern with one server for each name, before Anna's mailbox.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { route, startLookupEndpoint } from "../../support/peers/lookup-endpoint.ts";
import { anna } from "../../support/peers/mail-client.ts";
import { type Mailbox, startMailbox } from "../../support/peers/mailbox/index.ts";
import type { Program } from "../../support/programs/program.ts";
import { type Servers, startServers } from "../../support/programs/servers.ts";

export type Service<Name extends string> = Servers<Name> & {
  readonly program: Program;
  readonly mailbox: Mailbox;
  /** A file of the directory that holds `mail.conf`. */
  readonly file: (name: string) => string;
  /** Rewrites the configuration; the next reload reads it. */
  readonly edit: (from: string | RegExp, to: string) => Promise<void>;
  /** Pids of the first so many workers. */
  readonly workers: (count: number) => Promise<number[]>;
};

/**
 * @param main directives of the main context
 * @param mail directives for all servers
 */
export async function serve<Name extends string>(
  t: TestContext,
  servers: Readonly<Record<Name, string>>,
  main = "",
  mail = "",
): Promise<Service<Name>> {
  const users = [{ address: anna.login, password: anna.password }];
  const mailbox = await startMailbox({ name: "mail1", users });
  t.after(() => mailbox.close());
  const endpoint = await startLookupEndpoint((lookup) =>
    route(mailbox[lookup.header("Auth-Protocol") as ProtocolName].port),
  );
  t.after(() => endpoint.close());
  const before = `pid nginx.pid;\n${main}`;
  const running = await startServers(`auth_http ${endpoint.address}; ${mail}`, servers, before);
  t.after(() => running.stop());

  const { program, directory } = running.proxy;
  const file = (name: string) => join(directory, name);
  return {
    ...running,
    program,
    mailbox,
    file,
    edit: async (from, to) => {
      const text = await readFile(file("mail.conf"), "utf8");
      await writeFile(file("mail.conf"), text.replace(from, to));
    },
    workers: async (count) => {
      const started = await program.logs(/start worker process (\d+)/, count);
      return started.slice(0, count).map(([, pid]) => Number(pid));
    },
  };
}
