/** `export`: every user, in a form that `import` reads. */
import type { Api } from "./api.ts";
import { Misuse } from "./failure.ts";
import { FORMATS, type User } from "./formats/index.ts";

/** @throws Misuse */
export async function exportUsers(api: Api, name: string): Promise<void> {
  const format = FORMATS.find((each) => each.name === name);
  if (format === undefined) {
    throw new Misuse(`--format is one of ${FORMATS.map((each) => each.name).join(", ")}`);
  }
  if (format.heading !== undefined) console.log(format.heading);
  for await (const row of api.list("/export")) {
    const { address, passwordHash } = row;
    if (typeof address !== "string" || typeof passwordHash !== "string") continue;
    const given = Object.entries(row).filter(([, value]) => value !== null);
    const user: User = { ...Object.fromEntries(given), address, passwordHash };
    console.log(format.write(user));
  }
}
