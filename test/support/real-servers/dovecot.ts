// Starts Dovecot: IMAP and POP3 over maildirs, and its SASL service for Postfix.
import { chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Program } from "../programs/program.ts";
import { freePorts } from "../programs/ports.ts";
import { makeScratch } from "../programs/scratch.ts";
import { debianMail, type Account } from "./account.ts";

export type Dovecot = {
  readonly imap: number;
  readonly pop3: number;
  readonly sasl: number;
  /** The directory of all homes: each is named by the address and holds a `Maildir`. */
  readonly mail: string;
  readonly program: Program;
  stop(): Promise<void>;
};

/**
 * @param master may log in as any user, by the name `user*master`
 * @param more settings that override those of this file
 */
export async function startDovecot(
  accounts: readonly Account[],
  master: Account | null = null,
  more = "",
): Promise<Dovecot> {
  const scratch = await makeScratch();
  const [imap = 0, pop3 = 0, sasl = 0] = await freePorts(3);
  const mail = join(scratch.path, "mail");
  const file = join(scratch.path, "dovecot.conf");
  const masters = master === null ? [] : [master];
  await mkdir(mail);
  await chown(mail, debianMail, debianMail);
  await writeFile(join(scratch.path, "passwords"), passwdFile(accounts));
  await writeFile(join(scratch.path, "masters"), passwdFile(masters));
  await writeFile(file, `${config(scratch.path, { imap, pop3, sasl })}${more}\n`);

  const program = new Program("/usr/sbin/dovecot", ["-F", "-c", file]);
  const stop = async () => {
    await program.stop();
    await scratch.remove();
  };
  try {
    await program.listening([imap, pop3, sasl]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { imap, pop3, sasl, mail, program, stop };
}

function passwdFile(accounts: readonly Account[]): string {
  return accounts.map(({ address, password }) => `${address}:{PLAIN}${password}\n`).join("");
}

function config(directory: string, ports: { imap: number; pop3: number; sasl: number }): string {
  return `
base_dir = ${directory}/run
state_dir = ${directory}/state
log_path = /dev/stderr
protocols = imap pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:~/Maildir
mail_max_userip_connections = 0
first_valid_uid = 1
auth_master_user_separator = *
passdb {
  driver = passwd-file
  args = ${directory}/masters
  master = yes
}
passdb {
  driver = passwd-file
  args = username_format=%u ${directory}/passwords
}
userdb {
  driver = static
  args = uid=${debianMail} gid=${debianMail} home=${directory}/mail/%u
}
service imap-login {
  inet_listener imap {
    port = ${ports.imap}
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3 {
    port = ${ports.pop3}
  }
  inet_listener pop3s {
    port = 0
  }
}
service auth {
  inet_listener {
    port = ${ports.sasl}
  }
}
`;
}
