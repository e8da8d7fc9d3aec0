// The command line of `npm start -- …`.
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Failure } from "./failure.ts";
import { largestShift } from "./ports.ts";

export type Options = {
  /** Added to every port. */
  readonly shift: number;
  /** Directory that keeps the users, the certificate and the configuration as started. */
  readonly state: string;
};

const root = fileURLToPath(new URL("../..", import.meta.url));

export function readOptions(args: string[]): Options {
  const values = parse(args);
  const shift = Number(values["port-shift"]);
  if (!Number.isInteger(shift) || shift < 0 || shift > largestShift) {
    throw new Failure(`--port-shift takes a whole number from 0 to ${largestShift}.`);
  }
  return { shift, state: resolve(root, values.state ?? defaultState(shift)) };
}

/** Each shift has its own, because the directory of users holds the ports of their mail servers. */
function defaultState(shift: number): string {
  return shift === 0 ? ".state" : `.state/port-shift-${shift}`;
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        "port-shift": { type: "string", default: "0" },
        state: { type: "string" },
      },
    }).values;
  } catch (error) {
    const [reason] = (error as Error).message.split(". ");
    throw new Failure(`${reason}; the options are --port-shift N and --state DIRECTORY.`);
  }
}
