// Starts the proxy of the demo in a process of its own, as an operator would.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { writeCertificate } from "../support/certificates/certificate.ts";
import { Program } from "../support/programs/program.ts";
import { proxyEnded } from "./failure.ts";
import { shifted, type DemoPorts } from "./ports.ts";

const main = fileURLToPath(new URL("../../proxy/main.ts", import.meta.url));
const configuration = fileURLToPath(new URL("postern.conf", import.meta.url));

/** ms that sessions have to end before the proxy is killed. */
const GRACE = 1000;

export type Proxy = AsyncDisposable & { readonly program: Program };

export async function startProxy(ports: DemoPorts, shift: number, state: string): Promise<Proxy> {
  const file = join(state, "postern.conf");
  await writeFile(file, shifted(await readFile(configuration, "utf8"), shift));
  if (!existsSync(join(state, "certificate.pem"))) await writeCertificate(state);

  const program = new Program(process.execPath, [main, "-p", `${state}/`, "-c", file]);
  const end = async () => {
    const forced = pause(GRACE, undefined, { ref: false }).then(() => program.stop("SIGKILL"));
    await Promise.race([program.stop(), forced]);
  };
  try {
    // All its ports open together, and a connection to each would add lines to its log.
    await program.listening([ports.proxy.imap]);
  } catch {
    await end();
    throw proxyEnded(program);
  }
  return { program, [Symbol.asyncDispose]: end };
}
