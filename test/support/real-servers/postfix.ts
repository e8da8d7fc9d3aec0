// Starts Postfix: submission that asks Dovecot for passwords, and delivery into Dovecot's maildirs.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Program, run } from "../programs/program.ts";
import { freePorts } from "../programs/ports.ts";
import { makeScratch } from "../programs/scratch.ts";
import { debianMail, type Account } from "./account.ts";
import type { Dovecot } from "./dovecot.ts";

export type Postfix = {
  readonly smtp: number;
  readonly program: Program;
  /** Its log so far. */
  log(): Promise<string>;
  stop(): Promise<void>;
};

/** @param more lines of its main.cf */
export async function startPostfix(
  dovecot: Dovecot,
  accounts: readonly Account[],
  more = "",
): Promise<Postfix> {
  const scratch = await makeScratch();
  const [smtp = 0] = await freePorts(1);
  const config = join(scratch.path, "config");
  for (const name of ["config", "queue"]) await mkdir(join(scratch.path, name));
  await writeFile(
    join(config, "main.cf"),
    `${mainCf(scratch.path, dovecot, accounts)}${more.replace(/^ +/gm, "")}\n`,
  );
  await writeFile(join(config, "master.cf"), masterCf(smtp));

  // `check` makes the queue. The master is started without the script around it, to have its pid.
  await run("/usr/sbin/postfix", ["-c", config, "check"]);
  const program = new Program("/usr/lib/postfix/sbin/master", ["-s", "-c", config]);
  const log = () => readFile(join(scratch.path, "log"), "utf8").catch(() => "");
  const stop = async () => {
    await program.stop();
    await scratch.remove();
  };
  try {
    await program.listening([smtp]);
  } catch (error) {
    const cause = await log();
    await stop();
    throw new Error(`Postfix did not start:\n${cause}`, { cause: error });
  }
  return { smtp, program, log, stop };
}

function mainCf(directory: string, dovecot: Dovecot, accounts: readonly Account[]): string {
  const mailboxes = accounts.map(({ address }) => `{ ${address} = ${address}/Maildir/ }`);
  return `
compatibility_level = 3.6
queue_directory = ${directory}/queue
data_directory = ${directory}/data
maillog_file = ${directory}/log
maillog_file_prefixes = ${directory}
myhostname = mx.example.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
alias_database =
virtual_mailbox_domains = example.test
virtual_mailbox_maps = inline:{ ${mailboxes.join(", ")} }
virtual_mailbox_base = ${dovecot.mail}
virtual_minimum_uid = ${debianMail}
virtual_uid_maps = static:${debianMail}
virtual_gid_maps = static:${debianMail}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:${dovecot.sasl}
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
`;
}

/** The table of Debian, without chroot, and with the port under test only. */
function masterCf(port: number): string {
  return `
127.0.0.1:${port} inet n - n - - smtpd
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
proxymap  unix - - n - - proxymap
error     unix - - n - - error
retry     unix - - n - - error
virtual   unix - n n - - virtual
tlsmgr    unix - - n 1000? 1 tlsmgr
anvil     unix - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
`;
}
