// Starts stock nginx or Postern with a configuration file, as an operator does.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeCertificate } from "../certificates/certificate.ts";
import { Program } from "../programs/program.ts";
import { makeScratch } from "../programs/scratch.ts";

export type MailProxy = {
  readonly program: Program;
  /** Holds `mail.conf`, `certificate.pem` and `key.pem`; relative paths in the file start here. */
  readonly directory: string;
  stop(signal?: NodeJS.Signals): Promise<void>;
};

const root = fileURLToPath(new URL("../../..", import.meta.url));
/** The file that Node runs. */
export const posternEntry = join(root, "proxy/main.ts");
const globals = "daemon off; pid nginx.pid; load_module /usr/lib/nginx/modules/ngx_mail_module.so;";

export function startPostern(config: string): Promise<MailProxy> {
  return start(config, (directory) => [
    process.execPath,
    [posternEntry, "-p", `${directory}/`, "-c", join(directory, "mail.conf")],
  ]);
}

export function startNginx(config: string): Promise<MailProxy> {
  return start(config, (directory) => [
    "/usr/sbin/nginx",
    ["-e", "stderr", "-p", `${directory}/`, "-c", join(directory, "mail.conf"), "-g", globals],
  ]);
}

/** Resolves when every `listen 127.0.0.1:PORT` of the configuration accepts connections. */
async function start(
  config: string,
  commandLine: (directory: string) => [command: string, args: string[]],
): Promise<MailProxy> {
  const { path: directory, remove } = await makeScratch();
  await writeCertificate(directory);
  await writeFile(join(directory, "mail.conf"), config);
  const program = new Program(...commandLine(directory));
  const stop = async (signal?: NodeJS.Signals) => {
    await program.stop(signal);
    await remove();
  };
  const ports = [...config.matchAll(/listen\s+127\.0\.0\.1:(\d+)/g)].map(([, port]) =>
    Number(port),
  );
  try {
    await program.listening(ports);
  } catch (error) {
    await stop();
    throw error;
  }
  return { program, directory, stop };
}
