// fetch with a connection for each request. workerd closes connections that were idle for five seconds, and Node's
// fetch lets go of them after four: on a busy machine it may just then send a request into one.
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { buffer } from "node:stream/consumers";

const BODILESS = new Set([204, 205, 304]);

export async function fetchAnew(url: string | URL, init?: RequestInit): Promise<Response> {
  const asked = new Request(url, init);
  const { method } = asked;
  const headers = Object.fromEntries(asked.headers);
  const asking = request(url, { method, headers, agent: false });
  asking.end(Buffer.from(await asked.arrayBuffer()));
  const [message] = (await once(asking, "response")) as [IncomingMessage];
  const { statusCode: status = 0, headersDistinct } = message;
  const fields = Object.entries(headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  const bytes = new Uint8Array(await buffer(message));
  return new Response(BODILESS.has(status) ? null : bytes, { status, headers: fields });
}
