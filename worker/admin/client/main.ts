/** `npm run admin -- …` is the command line of the admin API. */
import { parseArgs } from "node:util";
import { Api } from "./api.ts";
import { helpOn, runCommand } from "./commands.ts";
import { CommandError, UsageError } from "./errors.ts";
import { exportUsers } from "./export.ts";
import { importUsers } from "./import.ts";
import { json, text } from "./output.ts";

const USAGE = `npm run admin -- [--url URL] [--json] COMMAND

  bootstrap [NAME]          makes the first token; POSTERN_ADMIN_TOKEN holds the secret ADMIN_BOOTSTRAP
  import FILE               imports a Dovecot passwd-file, shadow file, htpasswd file or CSV;
                            - reads standard input
      --format passwd|shadow|htpasswd|csv     names the format; default: recognises it
      --group GROUP         sets the group of users whose line names none; default: their domain's
      --from LINE           continues an import that was cut short
  export [FILE]             writes every user, with the hashes
      --format …            names the format; default: csv; the others hold address, hash and
                            whether the user is disabled
  RESOURCE --help           describes the resource's commands and fields
  RESOURCE list [PREFIX] [FIELD=VALUE …]
  RESOURCE show|delete KEY …
  RESOURCE add|set KEY … FIELD=VALUE …
  users enable|disable|password|kick ADDRESS
  users move ADDRESS SERVER
  blocks list; blocks delete account|network NAME
  proxies list

RESOURCE: users, aliases, app-passwords, certificates, secrets, groups, servers, domains,
networks, blocks, proxies, tokens, audit.
POSTERN_ADMIN_URL and POSTERN_ADMIN_TOKEN hold the URL and the token. Passwords and secrets are
asked for, or read from standard input. --json prints a line of JSON for each row.
The exit status is 0; 1 where something was not done; 2 where the command makes no sense.`;

const OPTIONS = {
  url: { type: "string" },
  format: { type: "string" },
  group: { type: "string" },
  from: { type: "string", default: "1" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** @returns the exit status */
async function main(): Promise<number> {
  const { values, positionals } = readArguments();
  const [command, ...words] = positionals;
  const [word] = words;
  const subject = command === "help" ? word : command;
  if (values.help || command === "help") {
    const isLocal = ["bootstrap", "import", "export", undefined].includes(subject);
    const help = async (name = "") => helpOn(new Api(urlOf(values), ""), name);
    console.log(isLocal ? USAGE : await help(subject));
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
      if (word === undefined) throw new UsageError("name the file, or give - for standard input");
      if (!Number.isInteger(from) || from < 1)
        throw new UsageError("--from takes the number of a line");
      const { format, group } = values;
      const tally = await importUsers(api, word, { format, group, from });
      const counts = Object.entries(tally).map(([what, count]) => `${count} ${what}`);
      console.log(values.json ? JSON.stringify(tally) : counts.join(", "));
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
  if (value === "") throw new UsageError(`set the environment variable ${variable}`);
  return value;
}

// The reader of a pipe may stop early: `… | head`.
process.stdout.on("error", () => process.exit(0));

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
