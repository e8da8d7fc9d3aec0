// Starts NSD, a name server, with the zones that a test writes.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Program } from "../programs/program.ts";
import { freePorts } from "../programs/ports.ts";
import { makeScratch } from "../programs/scratch.ts";

export type Nsd = {
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
};

/** @param zones master files by name; NSD answers SERVFAIL for a zone that is null */
export async function startNsd(zones: Readonly<Record<string, string | null>>): Promise<Nsd> {
  const scratch = await makeScratch();
  const host = "127.0.0.1";
  const [port = 0] = await freePorts(1);
  const config = join(scratch.path, "nsd.conf");
  await mkdir(join(scratch.path, "zones"));
  for (const [name, records] of Object.entries(zones)) {
    if (records === null) continue;
    const origin = `$ORIGIN ${name}.\n$TTL 60\n@ SOA ns.example.test. root.example.test. 1 1h 1h 1w 1m\n`;
    // A blank at the start of a line has a meaning in a zone file.
    const text = `${origin}@ NS ns.example.test.\n${records.replace(/^ +/gm, "")}`;
    await writeFile(join(scratch.path, "zones", name), text);
  }
  await writeFile(config, configuration(scratch.path, `${host}@${port}`, Object.keys(zones)));
  const program = new Program("/usr/sbin/nsd", ["-d", "-c", config]);
  const stop = async () => {
    await program.stop();
    await scratch.remove();
  };
  try {
    await program.listening([port]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, port, stop };
}

function configuration(directory: string, address: string, zones: readonly string[]): string {
  const blocks = zones.map((name) => `zone:\n  name: "${name}"\n  zonefile: "${name}"\n`);
  return `
server:
  ip-address: ${address}
  username: ""
  chroot: ""
  database: ""
  zonesdir: "${directory}/zones"
  pidfile: "${directory}/pid"
  zonelistfile: "${directory}/zone.list"
  xfrdfile: "${directory}/xfrd.state"
  xfrdir: "${directory}"
  server-count: 1
remote-control:
  control-enable: no
${blocks.join("")}
`;
}
