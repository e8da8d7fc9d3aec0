/** The container's health check: exits with 0 where Postern serves, otherwise with 1 and the reason. */
import { reason } from "./reason.ts";
import { SocketTransport, openConnection } from "./transport/index.ts";

/** ms for a reply. */
const PATIENCE = 4000;

/** The IMAP port of a configuration from the environment. */
const IMAP = { host: "127.0.0.1", port: 1143 };

const signal = AbortSignal.timeout(PATIENCE);
const status = process.env["POSTERN_STATUS_LISTEN"];
try {
  if (status) await healthy(`http://${reachable(status)}/healthz`);
  else (await openConnection(new SocketTransport(), IMAP, signal)).destroy();
} catch (error) {
  // The error of fetch has the reason in its cause.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  process.stderr.write(`postern: ${reason(cause)}\n`);
  process.exitCode = 1;
}

async function healthy(url: string): Promise<void> {
  const { status: code } = await fetch(url, { signal, redirect: "error" });
  if (code !== 200) throw new Error(`${url} answered ${code}`);
}

/** The loopback address of a listener on any address, such as `*:9143` or `9143`. */
function reachable(listen: string): string {
  const [, host = "", port] = /^(?:(.*):)?(\d+)$/.exec(listen) ?? [];
  if (port === undefined) return listen;
  if (host === "[::]") return `[::1]:${port}`;
  return `${["", "*", "0.0.0.0"].includes(host) ? IMAP.host : host}:${port}`;
}
