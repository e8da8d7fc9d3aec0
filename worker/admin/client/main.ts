/** `npm run admin -- …`: the admin API from a command line. */
import { parseArgs } from "node:util";
import { Api } from "./api.ts";
import { helpOn, runCommand } from "./commands.ts";
import { exportUsers } from "./export.ts";
import { CommandError, UsageError } from "./errors.ts";
import { importUsers } from "./import.ts";
import { json, text } from "./output.ts";

const USAGE = `npm run admin -- [--url URL] [--json] COMMAND

  bootstrap [NAME]          make the first token, with ADMIN_BOOTSTRAP in the token's place
  import FILE               users of a Dovecot passwd-file, shadow file, htpasswd file or CSV;
                            - is the standard input
      --format passwd|shadow|htpasswd|csv     recognised if left out
      --group GROUP         of users whose line names none; else that of their domain
      --from LINE           go on where an import was cut short
  export [FILE]             every user, with the hashes
      --format …            csv if left out; the others hold addresses, hashes, and who is disabled
  RESOURCE --help           what there is to know of it, and what can be done with it
  RESOURCE list [PREFIX] [FIELD=VALUE …]
  RESOURCE show|delete KEY …
  RESOURCE add|set KEY … FIELD=VALUE …
  users enable|disable|password|kick ADDRESS
  users move ADDRESS SERVER
  blocks list; blocks delete account|network NAME
  proxies list

RESOURCE: users, aliases, app-passwords, certificates, secrets, groups, servers, domains,
networks, blocks, proxies, tokens, audit.
URL and token are taken from POSTERN_ADMIN_URL and POSTERN_ADMIN_TOKEN. Passwords and secrets are
asked for, or read from the standard input. --json prints a line of JSON for each row.
The exit status is 0, 1 where something was not done, and 2 where the command makes no sense.`;

const OPTIONS = {
  url: { type: "string" },
  format: { type: "string" },
  group: { type: "string" },
  from: { type: "string", default: "1" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** @returns the exit status: 1 where something was not done */
async function main(): Promise<number> {
  const { values, positionals } = readArguments();
  const [command, ...words] = positionals;
  const [word] = words;
  const subject = command === "help" ? word : command;
  if (values.help || command === "help") {
    const isOurs = ["bootstrap", "import", "export", undefined].includes(subject);
    const help = async (name = "") => helpOn(new Api(urlOf(values), ""), name);
    console.log(isOurs ? USAGE : await help(subject));
    return 0;
  }
  if (command === undefined) throw new UsageError(USAGE);
  const api = new Api(urlOf(values), setting("POSTERN_ADMIN_TOKEN"));
  const output = values.json ? json : text();
  switch (command) {
    case "bootstrap": {
      const { token } = await api.call("POST", "/bootstrap", { name: word ?? "first" });
      console.log(String(token));
      return 0;
    }
    case "import": {
      const from = Number(values.from);
      if (word === undefined) throw new UsageError("name the file, or - for the standard input");
      if (!Number.isInteger(from) || from < 1) throw new UsageError("--from takes a line's number");
      const { format, group } = values;
      const tally = await importUsers(api, word, { format, group, from });
      const told = Object.entries(tally).map(([what, count]) => `${count} ${what}`);
      console.log(values.json ? JSON.stringify(tally) : told.join(", "));
      return tally.refused === 0 ? 0 : 1;
    }
    case "export":
      return (await exportUsers(api, values.format ?? "csv", word)) ? 0 : 1;
    default:
      await runCommand(api, output, positionals);
      return 0;
  }
}

function readArguments() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "", { cause: error });
  }
}

function urlOf({ url }: { readonly url?: string | undefined }): string {
  return url ?? setting("POSTERN_ADMIN_URL");
}

/** @throws UsageError */
function setting(variable: string): string {
  const value = process.env[variable]?.trim() ?? "";
  if (value === "") throw new UsageError(`set ${variable}`);
  return value;
}

// Whoever reads may stop when they have enough: `… | head`.
process.stdout.on("error", () => process.exit(0));

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
