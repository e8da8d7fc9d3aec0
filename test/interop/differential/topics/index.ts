// All scripts. Scripts of several lines come a second time with all lines in one write.
import { knownDifferences } from "../known-differences/index.ts";
import { inSegments, isDivisible } from "../segmentation.ts";
import type { Script, Topic } from "../script.ts";
import { commands } from "./commands.ts";
import { connections } from "./connections.ts";
import { hostTopics } from "./hosts.ts";
import { imapTopics } from "./imap.ts";
import { lookups } from "./lookups.ts";
import { pop3Topics } from "./pop3.ts";
import { sasl } from "./sasl.ts";
import { smtpTopics } from "./smtp.ts";
import { upstreamTopics } from "./upstreams.ts";

const inTurn: readonly Topic[] = [
  ...commands,
  ...sasl,
  ...imapTopics,
  ...pop3Topics,
  ...smtpTopics,
  ...lookups,
  ...upstreamTopics,
  ...connections,
  ...hostTopics,
];

/** The buffers of nginx for commands that a client sends ahead, by default or as some scripts set them. */
const room = { imap: 256, pop3: 128, smtp: 256 };

function fits({ moves, server: { protocol } }: Script): boolean {
  const sizes = moves.map((move) => (move.kind === "send" ? move.bytes.length : 0));
  return sizes.reduce((sum, size) => sum + size, 0) <= room[protocol];
}

const atOnce = inTurn.map(({ name, scripts }): Topic => {
  const fitting = scripts.filter(
    (script) =>
      script.moves.length > 1 &&
      isDivisible(script) &&
      fits(script) &&
      !knownDifferences.some((known) => known.scripts?.test(`${name}: ${script.name}`)),
  );
  return {
    name: `${name}, in one write`,
    scripts: fitting.map((script) => inSegments(script, [])),
  };
});

export const topics: readonly Topic[] = [
  ...inTurn,
  ...atOnce.filter(({ scripts }) => scripts.length > 0),
];
