/** The caller's end of the control socket. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text as wholeOf } from "node:stream/consumers";
import { systemReason } from "../../reason.ts";

/** ms: longer than the primary process waits for its workers. */
const PATIENCE = 20_000;

/** A question that got no answer: why, and what may be done about it. */
export class AskError extends Error {
  override name = "AskError";
  /** Whether there is nobody to ask. */
  readonly alone: boolean;

  constructor(socketPath: string, cause: unknown) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const advice = ADVICE.get(code) ?? "";
    super(`asking ${socketPath} failed (${systemReason(cause)})${advice}`, { cause });
    this.alone = code === "ENOENT" || code === "ECONNREFUSED";
  }
}

const OWNERS_ALONE = ", only root and the user that started Postern may ask";
const ADVICE: ReadonlyMap<unknown, string> = new Map([
  ["ENOENT", ", is Postern running by this configuration? If so, its error log says more"],
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
    silence = new Error(`nothing was said for ${patience / 1000} seconds`);
    asking.destroy(silence);
  });
  // What fails behind the answer's beginning is told by the answer as well.
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
  if (response === undefined) throw new Error("nothing was said");
  return response;
}
