// Real servers for the tests, each on free ports of loopback and in a directory of its own.
export { startDovecot, type Dovecot } from "./dovecot.ts";
export { freeMailPorts, mailConfig, type MailPorts } from "./mail-config.ts";
export { posternEntry, startNginx, startPostern, type MailProxy } from "./mail-proxy.ts";
export { startNsd, type Nsd } from "./nsd.ts";
export { type OutboundPeer, startDante, startSquid, startTinyproxy } from "./outbound-proxies.ts";
export { startPostfix, type Postfix } from "./postfix.ts";
