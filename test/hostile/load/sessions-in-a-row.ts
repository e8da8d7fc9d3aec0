/** Many short sessions: what the workers hold after all of them is what they hold after the first ten thousand. */
import type { Length, Outcome } from "../part.ts";
import { type Site, startSite } from "./site.ts";

/** Sessions that begin the comparison, and all of them. */
interface Row {
  readonly first: number;
  readonly all: number;
}

export const ROWS: Readonly<Record<Length, Row>> = {
  short: { first: 10_000, all: 50_000 },
  long: { first: 10_000, all: 1_000_000 },
};

/** Relative to what is held after the first sessions. */
const MORE = 0.05;
/** ms of one turn of a kind of client. */
const TURN = 300;
/** Sessions at once. */
const AT_ONCE = 32;

const KINDS = [
  ["imap", "clear", "imap"],
  ["pop3", "clear", "pop3"],
  ["smtp", "clear", "smtp"],
  ["imap", "tls", "imaps"],
  ["imap", "resumed", "imaps"],
] as const;

export async function runSessions({ first, all }: Row): Promise<Outcome> {
  const site = await startSite();
  try {
    const run = await sessions(site);
    const early = await run(first);
    const before = await site.held();
    const count = await run(all);
    const after = await site.held();
    const more = after.heap / before.heap - 1;
    const figures = [
      `${count} sessions`,
      `heap ${mebibytes(before.heap)} MiB after ${early}, ${mebibytes(after.heap)} MiB after all (${(more * 100).toFixed(1)} %)`,
      `${before.descriptors} and ${after.descriptors} descriptors`,
    ].join("; ");
    const complaints = site.complaints();
    if (complaints.length > 0) console.error(complaints.slice(0, 10).join("\n"));
    const passed =
      more <= MORE &&
      after.descriptors <= before.descriptors * (1 + MORE) &&
      complaints.length === 0;
    return { passed, figures };
  } finally {
    await site.close();
  }
}

/** Runs sessions of all kinds, in turns, until there were so many altogether. */
async function sessions(site: Site): Promise<(total: number) => Promise<number>> {
  const clients = KINDS.map(([protocol, security, port]) =>
    site.start("client", [site.ports[port], protocol, security, "sessions", AT_ONCE]),
  );
  for (const client of clients) await client.line();
  let count = 0;
  return async (total) => {
    for (let turn = 0; count < total; turn++) {
      const client = clients[turn % clients.length]!;
      const [deeds = 0] = (await client.ask(TURN)).split(" ").map(Number);
      count += deeds;
    }
    return count;
  };
}

function mebibytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1);
}
