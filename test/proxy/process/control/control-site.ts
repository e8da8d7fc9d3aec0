// Postern before the mailboxes of Anna and Bert, and `-s who` and `-s kick` as an operator runs them.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { ListedSession } from "../../../../proxy/observe/index.ts";
import type { ProtocolName } from "../../../../shared/lookup.ts";
import {
  type Answer,
  type LookupEndpoint,
  route,
  startLookupEndpoint,
} from "../../../support/peers/lookup-endpoint.ts";
import { anna, attempt, granted, greeted } from "../../../support/peers/mail-client.ts";
import { startMailbox } from "../../../support/peers/mailbox/index.ts";
import { inTheClear } from "../../../support/programs/servers.ts";
import type { Wire } from "../../../support/peers/wire.ts";
import { type Service, serve } from "../service.ts";
import { postern } from "../site.ts";

export const bert = { login: "bert@example.test", password: "hunter2" };
/** Another name of Anna's, which the lookup replaces. */
export const alias = { login: "Anna.B@example.test", password: "application" };

export type ControlSite = Service<"imap" | "pop3"> & {
  readonly endpoint: LookupEndpoint;
  readonly site: string;
  /** Runs `-s who`. */
  readonly who: () => Promise<ListedSession[]>;
  /** Runs `-s kick`. */
  readonly kick: (user: string) => Promise<string>;
  readonly logIn: (account?: typeof anna) => Promise<Wire>;
  /** Logs in while a worker is stopped, so that another worker accepts. */
  readonly logInWithout: (worker: number, account?: typeof anna) => Promise<Wire>;
};

/** @param answer makes the replies to lookups from the port of the IMAP mailbox, in place of the usual replies */
export async function serveControlled(
  t: TestContext,
  main = "",
  mail = "",
  answer: (imap: number) => Answer | null = () => null,
): Promise<ControlSite> {
  const users = [anna, bert].map(({ login, password }) => ({ address: login, password }));
  const mailbox = await startMailbox({ name: "mail1", users });
  t.after(() => mailbox.close());
  const usual: Answer = (lookup) => {
    const { port } = mailbox[lookup.header("Auth-Protocol") as ProtocolName];
    if (lookup.header("Auth-User") !== alias.login) return route(port);
    return route(port, { "Auth-User": anna.login, "Auth-Pass": anna.password });
  };
  const endpoint = await startLookupEndpoint(answer(mailbox.imap.port) ?? usual);
  t.after(() => endpoint.close());
  const { imap, pop3 } = inTheClear;
  const asking = `auth_http ${endpoint.address};`;
  const servers = { imap: `${imap} ${asking}`, pop3: `${pop3} ${asking}` };
  const service = await serve(t, servers, main, mail);
  const site = service.proxy.directory;
  const logIn = async (account = anna): Promise<Wire> => {
    const wire = await greeted("imap", service.ports.imap);
    assert.match(await attempt("imap", wire, account), granted.imap);
    return wire;
  };
  return {
    ...service,
    endpoint,
    site,
    logIn,
    who: async () => listed(await postern(site, "-s", "who")),
    kick: async (user) => {
      const { end, stdout, stderr } = await postern(site, "-s", "kick", user);
      assert.deepEqual({ end, stderr }, { end: 0, stderr: "" });
      return stdout;
    },
    logInWithout: async (worker, account) => {
      process.kill(worker, "SIGSTOP");
      try {
        return await logIn(account);
      } finally {
        process.kill(worker, "SIGCONT");
      }
    },
  };
}

function listed({ end, stdout, stderr }: Awaited<ReturnType<typeof postern>>): ListedSession[] {
  assert.deepEqual({ end, stderr }, { end: 0, stderr: "" });
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ListedSession);
}
