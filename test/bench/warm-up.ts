// Postern is compiled while it runs, hot code last. What is compared is a proxy that has been up for a while.
import type { Load } from "./load.ts";
import type { Rival } from "./rival.ts";

const SESSIONS = 32;

/** Complete sessions, in the clear and then under TLS, for so many ms each. */
export async function warmUp({ doors }: Rival, load: Load, ms: number): Promise<void> {
  for (const security of ["clear", "tls"] as const) {
    const port = security === "clear" ? doors.imap : doors.imaps;
    await load.open({ port, protocol: "imap", security }, SESSIONS);
    await load.run("session", ms);
    await load.close();
  }
}
