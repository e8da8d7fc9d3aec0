/**
 * The lookup endpoint as a process of its own, which can be killed:
 *
 *   node lookup-endpoint.ts PORT HOST ROUTES
 *
 * HOST is the address of all mail servers. ROUTES is JSON: for each mail server the port of each protocol.
 */
import { reply, route, startLookupEndpoint } from "../../support/peers/lookup-endpoint.ts";
import { accounts } from "./accounts.ts";
import type { ProtocolName } from "../../../shared/lookup.ts";

type Routes = readonly Readonly<Record<ProtocolName, number>>[];

const [port = "", host = "", text = ""] = process.argv.slice(2);
const routes = JSON.parse(text) as Routes;
const byAddress = new Map(accounts.map((account) => [account.address, account]));

/** nginx's words for a wrong password (ngx_mail_auth_http_module). */
const REFUSED = {
  imap: "[AUTHENTICATIONFAILED] invalid login or password",
  pop3: "[AUTH] invalid login or password",
  smtp: "5.7.8 invalid login or password",
};

await startLookupEndpoint((lookup) => {
  const read = (name: string): string => decodeURIComponent(lookup.header(name) ?? "");
  const protocol = read("Auth-Protocol") as ProtocolName;
  const account = byAddress.get(read("Auth-User"));
  if (account === undefined || read("Auth-Pass") !== account.password) {
    return reply(200, { "Auth-Status": REFUSED[protocol], "Auth-Error-Code": "535" });
  }
  return route(routes[account.server]![protocol], { "Auth-Server": host });
}, Number(port));
console.log("ready");
