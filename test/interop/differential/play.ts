// Plays a script against one proxy and records what it causes.
import { setImmediate } from "node:timers/promises";
import type { Backends } from "./backends.ts";
import { Client } from "./client.ts";
import type { ComparedProxy } from "./compared-proxy.ts";
import type { Move, Script } from "./script.ts";
import { type Transcript, withoutSessionValues } from "./transcript.ts";

export const GOODBYE = { imap: "z LOGOUT\r\n", pop3: "QUIT\r\n", smtp: "QUIT\r\n" };

export async function play(
  script: Script,
  proxy: ComparedProxy,
  backends: Backends,
): Promise<Transcript> {
  const { protocol, listen } = script.server;
  const session = backends.enter(script);
  const serverPort = proxy.port(script.server);
  const client = await Client.connect(protocol, serverPort, session.address);
  const clientPort = client.port;
  try {
    client.write(atAddress(script.first ?? "", session.address));
    if (listen.startsWith("ssl")) await client.secure();
    await client.reply();
    for (const move of script.moves) await make(move, client);
    if (!client.closed && script.leavesSilently !== true) {
      client.send(GOODBYE[protocol]);
      await client.reply();
    }
    await client.leave();
    const whole = {
      client: client.transcript,
      lookups: session.lookups,
      upstreams: await session.upstreams(),
    };
    return withoutSessionValues(whole, { address: session.address, clientPort, serverPort });
  } finally {
    client.destroy();
    backends.leave(session);
  }
}

function atAddress(text: string, address: string): string {
  const octets = String.fromCharCode(...address.split(".").map(Number));
  return text.replaceAll("CLIENT", address).replaceAll("OCTETS", octets);
}

async function make(move: Move, client: Client): Promise<void> {
  if (client.closed) return;
  switch (move.kind) {
    case "send":
      client.send(move.bytes);
      // The next bytes travel by themselves.
      if (move.replies === 0) await setImmediate();
      for (let replies = 0; replies < move.replies && !client.closed; replies++) {
        await client.reply();
      }
      break;
    case "starttls":
      client.send(move.bytes);
      await client.reply();
      await client.secure();
      break;
    case "wait":
      await client.end();
      break;
  }
}
