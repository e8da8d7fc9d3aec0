// Plays a script against a rival.
import { setImmediate } from "node:timers/promises";
import type { Backstage } from "./backends.ts";
import { Client } from "./client.ts";
import type { Rival } from "./compared-proxy.ts";
import type { Move, Script } from "./script.ts";
import { type Transcript, withoutParticulars } from "./transcript.ts";

export const GOODBYE = { imap: "z LOGOUT\r\n", pop3: "QUIT\r\n", smtp: "QUIT\r\n" };

export async function play(
  script: Script,
  rival: Rival,
  backstage: Backstage,
): Promise<Transcript> {
  const { protocol, listen } = script.server;
  const scene = backstage.enter(script);
  const serverPort = rival.port(script.server);
  const client = await Client.connect(protocol, serverPort, scene.address);
  const clientPort = client.port;
  try {
    client.write(atAddress(script.first ?? "", scene.address));
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
      lookups: scene.lookups,
      upstreams: await scene.upstreams(),
    };
    return withoutParticulars(whole, { address: scene.address, clientPort, serverPort });
  } finally {
    client.destroy();
    backstage.leave(scene);
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
