// A name server that sends what a test wants, over UDP and TCP.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type Socket, createServer } from "node:net";
import { decode, encode } from "dns-packet";
import { freePorts } from "../programs/ports.ts";

export type Query = {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly over: "udp" | "tcp";
  /** The port that it came from. */
  readonly from: number;
};

/** Messages to send, none for silence; over TCP each is put into a frame. */
export type Say = (query: Query) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;

export type DnsRecord = {
  readonly type: "A" | "AAAA" | "CNAME" | "PTR";
  readonly data: string;
  /** Seconds; 60 where it does not matter. */
  readonly ttl?: number;
  /** The owner of the record; the name in the question by default. */
  readonly name?: string;
};

/** The answer for a name: records, a response code, silence, or a function. */
export type Entry = readonly DnsRecord[] | number | "silence" | Say;

/** An answer to the query. @param flags of dns-packet, or a response code */
export function answer(
  { id, type, name }: Pick<Query, "id" | "type" | "name">,
  records: readonly DnsRecord[],
  flags = 0,
): Uint8Array {
  return encode({
    type: "response",
    id,
    flags,
    questions: [{ type: type as DnsRecord["type"], name }],
    answers: records.map((record) => ({ name, ttl: 60, ...record })),
  });
}

/** Answers from a table of `TYPE name`. Any other name is NXDOMAIN. */
export function zone(entries: Readonly<Record<string, Entry>>): Say {
  return (query) => {
    const entry = entries[`${query.type} ${query.name}`] ?? NXDOMAIN;
    if (entry === "silence") return [];
    if (typeof entry === "function") return entry(query);
    return [typeof entry === "number" ? answer(query, [], entry) : answer(query, entry)];
  };
}

export const SERVFAIL = 2;
export const NXDOMAIN = 3;

export type NameServer = {
  readonly host: string;
  readonly port: number;
  /** For `resolver`. */
  readonly address: string;
  /** All queries, in order. */
  readonly queries: readonly Query[];
  /** Waits until so much has been asked in all. */
  asked(count: number): Promise<void>;
  close(): Promise<void>;
};

export async function startNameServer(say: Say): Promise<NameServer> {
  const host = "127.0.0.1";
  const [port = 0] = await freePorts(1);
  const queries: Query[] = [];
  const udp = createSocket("udp4");
  const sockets = new Set<Socket>();
  const serve = async (
    message: Buffer,
    over: Query["over"],
    from: number,
    send: (bytes: Uint8Array) => void,
  ): Promise<void> => {
    const { id, questions } = decode(message);
    const [question] = questions!;
    const query = { id: id!, type: question!.type, name: question!.name, over, from };
    queries.push(query);
    udp.emit("asked");
    for (const bytes of await say(query)) send(bytes);
  };
  udp.on("message", (message, { address, port: from }) => {
    void serve(message, "udp", from, (bytes) => udp.send(bytes, from, address, () => {}));
  });
  const tcp = createServer((socket) => {
    sockets.add(socket);
    let held = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      held = Buffer.concat([held, bytes]);
      if (held.length < 2 || held.length < 2 + held.readUInt16BE(0)) return;
      const { remotePort: from = 0 } = socket;
      void serve(held.subarray(2), "tcp", from, (said) => socket.write(framed(said)));
    });
  });
  udp.bind(port, host);
  tcp.listen(port, host);
  await Promise.all([once(udp, "listening"), once(tcp, "listening")]);
  return {
    host,
    port,
    address: `${host}:${port}`,
    queries,
    asked: async (count) => {
      while (queries.length < count) await once(udp, "asked");
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      udp.close();
      tcp.close();
      await Promise.all([once(udp, "close"), once(tcp, "close")]);
    },
  };
}

/** A message with its length in front, for TCP (RFC 1035, 4.2.2). */
function framed(message: Uint8Array): Uint8Array {
  return Uint8Array.of(message.length >> 8, message.length & 0xff, ...message);
}
