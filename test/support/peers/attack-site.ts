// A mail service under attack: mail servers that record what reaches them, a lookup endpoint that answers as a test
// says, and Postern in front of both.
import assert from "node:assert/strict";
import type { ProtocolName } from "../../../shared/lookup.ts";
import { type Answer, type Lookup, route, startLookupEndpoint } from "./lookup-endpoint.ts";
import { anna } from "./mail-client.ts";
import { type Mailbox, startMailbox } from "./mailbox/index.ts";
import type { RawClient } from "./raw-client.ts";
import { type Servers, startServers } from "../programs/servers.ts";

export interface AttackSite<Name extends string> {
  readonly mailbox: Mailbox;
  readonly postern: Servers<Name>;
  /** All lookups, in order. */
  readonly lookups: readonly Lookup[];
  /** Answers lookups; a yes to anna's mailbox until a test says otherwise. */
  answer: Answer;
  /** The lookup for this login. */
  lookupFor(login: string): Lookup;
  /** Waits for the client's line of the access log, and asserts that there is one only. */
  session(client: Pick<RawClient, "port" | "to">): Promise<Readonly<Record<string, unknown>>>;
  stop(): Promise<void>;
}

/** Finds a client's line. Its port may serve again at another port of Postern. */
export function lineOf({ port, to }: Pick<RawClient, "port" | "to">): RegExp {
  return new RegExp(
    `"remote_port":${port},"remote_host":[^,]*,"server_addr":"[^"]*","server_port":${to},`,
  );
}

/**
 * @param mail directives of the `mail` block, without `auth_http`
 * @param servers directives of each `server` block; PORT stands for its port
 * @param main directives before the mail block
 */
export async function startAttackSite<Name extends string>(
  mail: string,
  servers: Readonly<Record<Name, string>>,
  main = "",
): Promise<AttackSite<Name>> {
  const users = [{ address: anna.login, password: anna.password }];
  const mailbox = await startMailbox({ name: "mail1", users });
  const endpoint = await startLookupEndpoint((lookup) => site.answer(lookup));
  const postern = await startServers(`auth_http ${endpoint.address}; ${mail}`, servers, main);
  const linesOf = ({ port, to }: Pick<RawClient, "port" | "to">) =>
    postern
      .sessions()
      .filter(({ remote_port, server_port }) => remote_port === port && server_port === to);
  const site: AttackSite<Name> = {
    mailbox,
    postern,
    lookups: endpoint.lookups,
    answer: (lookup) => route(mailbox[lookup.header("Auth-Protocol") as ProtocolName].port),
    lookupFor(login) {
      const found = endpoint.lookups.find((lookup) => lookup.header("Auth-User") === login);
      assert.ok(found, `no lookup for ${login}`);
      return found;
    },
    async session(client) {
      await postern.proxy.program.says(lineOf(client));
      const [session, ...more] = linesOf(client);
      assert.deepEqual(more, []);
      return session!;
    },
    async stop() {
      await postern.stop();
      await endpoint.close();
      await mailbox.close();
    },
  };
  return site;
}
