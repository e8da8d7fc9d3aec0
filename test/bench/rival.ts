// One of the two that are compared.
import { startNginx, startPostern } from "../support/real-servers/index.ts";
import { type Doors, type Places, configuration, freeDoors } from "./configuration.ts";
import { servingProcess } from "./measure/serving-process.ts";

const programs = {
  nginx: { start: startNginx, own: "ssl_protocols TLSv1.2 TLSv1.3;" },
  postern: { start: startPostern, own: "access_log access.log;" },
} as const;

export type RivalName = keyof typeof programs;

export type Rival = {
  /** The process that serves, whose costs are measured. */
  readonly pid: number;
  readonly doors: Doors;
  stop(): Promise<void>;
};

export async function startRival(name: RivalName, places: Places): Promise<Rival> {
  const { start, own } = programs[name];
  const doors = await freeDoors();
  const proxy = await start(configuration(doors, places, own));
  try {
    const pid = await servingProcess(proxy.program.pid ?? 0);
    return { pid, doors, stop: () => proxy.stop() };
  } catch (error) {
    await proxy.stop();
    throw error;
  }
}
