// The text that `npm start` prints: addresses, passwords, and three commands to try.
import { adminToken, alice, bob } from "./accounts.ts";
import { host, type DemoPorts } from "./ports.ts";

export function welcome({ proxy, worker, mail1, mail2 }: DemoPorts, curl: boolean): string {
  return `
Postern runs. Log in as ${alice.address} (password ${alice.password}) or ${bob.address} (${bob.password}):

  IMAP    ${host}:${proxy.imap} (STARTTLS)   ${host}:${proxy.imaps} (TLS)
  POP3    ${host}:${proxy.pop3} (STLS)       ${host}:${proxy.pop3s} (TLS)
  SMTP    ${host}:${proxy.smtp} (STARTTLS)   ${host}:${proxy.smtps} (TLS)

  lookups       http://${host}:${worker.http}/auth, with "X-Auth-Key: development"
  ${alice.server} (Alice) IMAP ${mail1.imap}, POP3 ${mail1.pop3}, SMTP ${mail1.smtp}
  ${bob.server} (Bob)   IMAP ${mail2.imap}, POP3 ${mail2.pop3}, SMTP ${mail2.smtp}

${curl ? "" : "Install curl to try these: apt-get install curl\n"}List Alice's inbox:
  ${listInbox(proxy.imaps)}

Send Bob a message:
  ${sendMessage(proxy.smtp)}

List the users, by the worker's admin command (docs/admin.md):
  ${listUsers(worker.http)}

The log follows. Ctrl-C ends everything.
`;
}

const login = `curl -sSk --user ${alice.address}:${alice.password}`;

function listInbox(port: number): string {
  return `${login} imaps://${host}:${port}/INBOX -X 'FETCH 1:* ENVELOPE'`;
}

function sendMessage(port: number): string {
  const message = `From: ${alice.address}\\r\\nSubject: Hello Bob\\r\\n\\r\\nIt works.\\r\\n`;
  const envelope = `--mail-from ${alice.address} --mail-rcpt ${bob.address}`;
  return `printf '${message}' | ${login} --ssl-reqd smtp://${host}:${port} ${envelope} -T -`;
}

function listUsers(port: number): string {
  const environment = `POSTERN_ADMIN_URL=http://${host}:${port} POSTERN_ADMIN_TOKEN=${adminToken}`;
  return `${environment} npm run --silent admin -- users list`;
}
