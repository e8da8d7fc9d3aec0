// The mail programs: so many at once, each repeating one thing until its time is over.
import { Client } from "./client.ts";
import {
  type Deed,
  type LoadReply,
  type LoadRequest,
  type Programs,
  TRANSFER,
} from "./load-messages.ts";
import { tellParent } from "./parent.ts";

/** Logins at once while clients are opened. */
const OPENING = 32;

const NOTHING: LoadReply = { deeds: 0, elapsed: 0, logins: [] };

let clients: Client[] = [];

process.on("message", (request: LoadRequest) => {
  serve(request)
    .catch((error: unknown) => ({ ...NOTHING, failure: String(error) }))
    .then(tellParent, () => process.exit(1));
});

async function serve(request: LoadRequest): Promise<LoadReply> {
  switch (request.kind) {
    case "open":
      await open(request.programs, request.count, request.loggedIn);
      return NOTHING;
    case "run":
      return run(request.deed, request.ms);
    case "close":
      for (const client of clients) client.drop();
      clients = [];
      return NOTHING;
  }
}

async function open(
  { port, protocol, security }: Programs,
  count: number,
  loggedIn: boolean,
): Promise<void> {
  const made = Array.from({ length: count }, () => new Client(port, protocol, security));
  clients.push(...made);
  if (!loggedIn) return;
  const waiting = made.values();
  const openers = Array.from({ length: OPENING }, async () => {
    for (const client of waiting) await client.logIn();
  });
  await Promise.all(openers);
}

async function run(deed: Deed, ms: number): Promise<LoadReply> {
  const start = performance.now();
  const logins: number[] = [];
  let deeds = 0;
  const loops = clients.map(async (client) => {
    do {
      const took = await act(client, deed);
      if (took !== undefined) logins.push(took);
      deeds++;
    } while (performance.now() - start < ms);
  });
  await Promise.all(loops);
  return { deeds, elapsed: performance.now() - start, logins };
}

async function act(client: Client, deed: Deed): Promise<number | void> {
  switch (deed) {
    case "session":
      return client.session();
    case "exchange":
      return client.exchange();
    case "download":
      return client.download(TRANSFER);
    case "upload":
      return client.upload(TRANSFER);
  }
}
