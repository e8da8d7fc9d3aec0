/** `npm run admin -- …`: the admin API from a command line. */
import { parseArgs } from "node:util";
import { Api } from "./api.ts";
import { runCommand } from "./commands.ts";
import { exportUsers } from "./export.ts";
import { Failure, Misuse } from "./failure.ts";
import { importUsers } from "./import.ts";

const USAGE = `npm run admin -- [--url URL] [--token TOKEN] COMMAND

  bootstrap NAME            make the first token; TOKEN is the secret ADMIN_BOOTSTRAP
  import FILE               users of a Dovecot passwd-file, shadow file, htpasswd file or CSV
      --format passwd|shadow|htpasswd|csv     recognised if left out
      --group GROUP         of users whose line names none; else that of their domain
      --from LINE           go on where an import was cut short
  export [FILE]             every user, with the hashes
      --format …            csv if left out
  RESOURCE list [PREFIX] [FIELD=VALUE …]
  RESOURCE show|delete KEY …
  RESOURCE add|set KEY … FIELD=VALUE …
  users enable|disable|password ADDRESS       passwords are read from the standard input
  users move ADDRESS SERVER
  blocks list; blocks delete account|network NAME

RESOURCE: users, aliases, app-passwords, certificates, secrets, groups, servers, domains,
networks, blocks, tokens, audit.
URL and TOKEN are taken from POSTERN_ADMIN_URL and POSTERN_ADMIN_TOKEN; a token on the command
line is for all to see.`;

const OPTIONS = {
  url: { type: "string" },
  token: { type: "string" },
  format: { type: "string" },
  group: { type: "string" },
  from: { type: "string", default: "1" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** @returns the exit status: 1 where something was not done */
async function main(): Promise<number> {
  const { values, positionals } = readArguments();
  const [command, ...words] = positionals;
  if (values.help) console.log(USAGE);
  if (values.help) return 0;
  if (command === undefined) throw new Misuse(USAGE);
  const api = new Api(
    given(values.url, "POSTERN_ADMIN_URL"),
    given(values.token, "POSTERN_ADMIN_TOKEN"),
  );
  const [word] = words;
  switch (command) {
    case "bootstrap": {
      const { token } = await api.call("POST", "/bootstrap", { name: word ?? "first" });
      console.log(String(token));
      return 0;
    }
    case "import": {
      const from = Number(values.from);
      if (word === undefined) throw new Misuse("name the file");
      if (!Number.isInteger(from) || from < 1) throw new Misuse("--from takes a line's number");
      const { format, group } = values;
      return (await importUsers(api, word, { format, group, from })) ? 0 : 1;
    }
    case "export":
      await exportUsers(api, values.format ?? "csv", word);
      return 0;
    default:
      await runCommand(api, positionals);
      return 0;
  }
}

function readArguments() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : "", { cause: error });
  }
}

/** @throws Misuse */
function given(option: string | undefined, variable: string): string {
  const value = option ?? process.env[variable] ?? "";
  if (value === "") throw new Misuse(`set ${variable}`);
  return value;
}

// Whoever reads may stop when they have enough: `… | head`.
process.stdout.on("error", () => process.exit(0));

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof Misuse ? 2 : 1;
}
