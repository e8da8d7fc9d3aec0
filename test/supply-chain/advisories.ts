/**
 * Asks the registry for advisories about production dependencies, by `npm audit`.
 *
 *   npm run advisories
 *
 * Fails for an advisory of severity high or critical that `accepted-advisories.json` does not accept for now. A
 * registry that cannot be asked is one line, and no failure: a build must not depend on it.
 */
import { readFileSync } from "node:fs";
import { run } from "../support/programs/program.ts";

interface Accepted {
  /** Such as `GHSA-xxxx-xxxx-xxxx`. */
  readonly advisory: string;
  readonly why: string;
  /** The last day, such as `2027-01-31`. */
  readonly until: string;
}

interface Advisory {
  readonly id: string;
  readonly name: string;
  readonly severity: string;
  readonly title: string;
}

export interface Verdict {
  readonly failed: boolean;
  readonly lines: readonly string[];
}

const GRAVE: readonly string[] = ["high", "critical"];

/**
 * @param report what `npm audit --json` has printed
 * @param today as `2026-12-31`
 */
export function judge(report: string, accepted: readonly Accepted[], today: string): Verdict {
  const answer = parse(report);
  if (answer === null || typeof answer["vulnerabilities"] !== "object") {
    const message = answer?.["message"];
    // The registry's address follows the words, and stays out of the log.
    const why = typeof message === "string" ? message.replaceAll(/ - .*/g, "") : "no answer";
    return { failed: false, lines: [`advisories: the registry could not be asked (${why})`] };
  }
  const all = advisories(answer["vulnerabilities"] as Vulnerabilities);
  const grave = all.filter(({ severity }) => GRAVE.includes(severity));
  const open = grave.filter(
    ({ id }) => !accepted.some(({ advisory, until }) => advisory === id && until >= today),
  );
  if (open.length === 0) {
    const counts = `${all.length} advisories, ${grave.length} of them grave and accepted`;
    return { failed: false, lines: [`advisories: ${counts}`] };
  }
  const lines = open.map(
    ({ id, name, severity, title }) => `advisories: ${name}: ${severity}: ${title} (${id})`,
  );
  return { failed: true, lines };
}

type Vulnerabilities = Readonly<Record<string, { readonly via?: readonly unknown[] }>>;

/** Each advisory once. A package that only depends on another has that package's name instead. */
function advisories(vulnerabilities: Vulnerabilities): Advisory[] {
  const found = new Map<string, Advisory>();
  for (const [name, { via = [] }] of Object.entries(vulnerabilities)) {
    for (const one of via) {
      if (typeof one !== "object" || one === null) continue;
      const { url, severity, title } = one as Readonly<Record<string, unknown>>;
      const id = /GHSA-[\w-]+$/.exec(String(url))?.[0] ?? String(url);
      found.set(id, { id, name, severity: String(severity), title: String(title) });
    }
  }
  return [...found.values()];
}

function parse(report: string): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(report) as Record<string, unknown>;
  } catch {
    return null;
  }
}

if (import.meta.main) {
  const list = readFileSync(new URL("accepted-advisories.json", import.meta.url), "utf8");
  const { stdout } = await run("npm", ["audit", "--omit=dev", "--json"], { env: process.env });
  const today = new Date().toISOString().slice(0, 10);
  const { failed, lines } = judge(stdout, JSON.parse(list) as Accepted[], today);
  console.log(lines.join("\n"));
  process.exitCode = failed ? 1 : 0;
}
