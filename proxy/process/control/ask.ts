/** Sends requests to the control socket, for `-s who` and `-s kick`. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text as wholeOf } from "node:stream/consumers";
import { systemReason } from "../../reason.ts";

/** ms. The primary process waits for its workers, which takes less. */
const PATIENCE = 20_000;

/** A request without a reply. The message has the reason and, where there is one, advice. */
export class AskError extends Error {
  override name = "AskError";
  /** True where no process listens at the socket. */
  readonly isAbsent: boolean;

  constructor(socketPath: string, cause: unknown) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const advice = ADVICE.get(code) ?? "";
    super(`request to ${socketPath} failed (${systemReason(cause)})${advice}`, { cause });
    this.isAbsent = code === "ENOENT" || code === "ECONNREFUSED";
  }
}

const OWNERS_ALONE = ", only root and the user that started Postern may connect";
const ADVICE: ReadonlyMap<unknown, string> = new Map([
  ["ENOENT", ", is Postern running with this configuration? If it is, its error log says more"],
  ["ECONNREFUSED", ", Postern is not running any more"],
  ["EACCES", OWNERS_ALONE],
  ["EPERM", OWNERS_ALONE],
]);

/**
 * @param path with its query
 * @param patience ms without a byte
 * @throws AskError
 */
export async function ask(
  socketPath: string,
  method: "GET" | "DELETE",
  path: string,
  patience = PATIENCE,
): Promise<string> {
  const asking = request({ socketPath, method, path, agent: false, timeout: patience });
  let silence: Error | null = null;
  asking.once("timeout", () => {
    silence = new Error(`no reply for ${patience / 1000} seconds`);
    asking.destroy(silence);
  });
  // A failure after the head of the response is an error of the response as well.
  asking.on("error", () => {});
  try {
    asking.end();
    const response = await responseTo(asking);
    const body = await wholeOf(response);
    if (response.statusCode !== 200) throw new Error(body.trim());
    return body;
  } catch (error) {
    throw new AskError(socketPath, silence ?? error);
  }
}

async function responseTo(asking: ReturnType<typeof request>): Promise<IncomingMessage> {
  const [response]: IncomingMessage[] = await once(asking, "response");
  if (response === undefined) throw new Error("no reply");
  return response;
}
