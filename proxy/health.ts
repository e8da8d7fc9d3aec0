/** The container's health check: ends with 0 where Postern serves, else with 1 and a sentence why. */
import { reason } from "./reason.ts";
import { SocketTransport, openConnection } from "./transport/index.ts";

/** ms for an answer. */
const PATIENCE = 4000;

/** The IMAP port that a configuration of the environment has. */
const IMAP = { host: "127.0.0.1", port: 1143 };

const signal = AbortSignal.timeout(PATIENCE);
const status = process.env["POSTERN_STATUS_LISTEN"];
try {
  if (status) await healthy(`http://${reachable(status)}/healthz`);
  else (await openConnection(new SocketTransport(), IMAP, signal)).destroy();
} catch (error) {
  // What fetch throws says nothing of why.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  process.stderr.write(`postern: ${reason(cause)}\n`);
  process.exitCode = 1;
}

async function healthy(url: string): Promise<void> {
  const { status: code } = await fetch(url, { signal, redirect: "error" });
  if (code !== 200) throw new Error(`${url} answered ${code}`);
}

/** Where a listener on any address, `*:9143` or `9143`, is reached from here. */
function reachable(listen: string): string {
  const [, host = "", port] = /^(?:(.*):)?(\d+)$/.exec(listen) ?? [];
  if (port === undefined) return listen;
  if (host === "[::]") return `[::1]:${port}`;
  return `${["", "*", "0.0.0.0"].includes(host) ? IMAP.host : host}:${port}`;
}
