// Logs that cannot be written: a full disk, a reader that does not read. Sessions go on, and lost lines are counted.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, constants, openSync, readSync, symlinkSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/programs/ports.ts";
import { makeScratch } from "../support/programs/scratch.ts";
import { anna, attempt, granted, greeted, untilClosed } from "../support/peers/mail-client.ts";
import { inTheClear } from "../support/programs/servers.ts";
import { scrape, scrapeUntil, total } from "../support/programs/status.ts";
import { type Service, serve } from "../proxy/process/service.ts";

/** Lines so long that 256 of them fill the buffer. */
const FORMAT = `log_format long '$connection ${"x".repeat(4000)} end';`;

interface Site extends Service<"imap"> {
  readonly status: number;
  /** Connects so many clients, each of which reads the greeting and leaves. */
  readonly visitors: (count: number) => Promise<void>;
  readonly lost: () => Promise<number>;
}

async function site(t: TestContext, accessLog: string): Promise<Site> {
  const [status = 0] = await freePorts(1);
  const mail = `status_listen 127.0.0.1:${status}; ${FORMAT} access_log ${accessLog} long;`;
  // Log files are given to the user of the workers; root leaves the owner of a device unchanged.
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const { imap } = inTheClear;
  const service = await serve(t, { imap }, user, mail);
  const visit = async (): Promise<void> => {
    const wire = await greeted("imap", service.ports.imap);
    wire.write("z LOGOUT\r\n");
    await untilClosed(wire);
  };
  return {
    ...service,
    status,
    visitors: async (count) => {
      for (let left = count; left > 0; left -= 20)
        await Promise.all(Array.from({ length: 20 }, visit));
    },
    lost: async () =>
      total(await scrape(status), "postern_log_lines_lost_total", { log: "access" }),
  };
}

async function logsIn({ ports }: Site): Promise<void> {
  const wire = await greeted("imap", ports.imap);
  assert.match(await attempt("imap", wire, anna), granted.imap);
  wire.write("z LOGOUT\r\n");
  await untilClosed(wire);
}

/** The number of lost lines, which is the same in the error log and in the metrics. */
async function loggedAsLost({ program, lost }: Site, name: string): Promise<number> {
  const [[, told = ""] = []] = await program.logs(
    new RegExp(`\\[alert\\] .*: ${name} is written to again, lines lost: (\\d+)$`),
  );
  assert.equal(Number(told), await lost());
  return Number(told);
}

/** Each session has a whole line in the log, or is counted as lost. */
async function assertNoneMissing(
  service: Site,
  log: () => Promise<string>,
  lost: number,
): Promise<void> {
  const samples = await scrapeUntil(service.status, (all) => total(all, "postern_sessions") === 0);
  const sessions = total(samples, "postern_sessions_accepted_total");
  const lines = (await log()).split("\n").slice(0, -1);
  for (const line of lines) assert.match(line, /^\d+ x+ end$/);
  assert.equal(new Set(lines).size + lost, sessions);
}

/** A log on this disk cannot be written until `makeRoom`. */
interface Disk {
  readonly path: string;
  readonly fill: () => Promise<void>;
  readonly makeRoom: (service: Site) => Promise<void>;
}

/** @returns null where mounts are not allowed */
async function smallDisk(t: TestContext): Promise<Disk | null> {
  const { path, remove } = await makeScratch();
  t.after(async () => {
    // Lazily, since the service still has the log open.
    spawnSync("umount", ["-l", path]);
    await remove();
  });
  const options = ["-t", "tmpfs", "-o", "size=4m", "none", path];
  if (spawnSync("mount", options).status !== 0) return null;
  const ballast = join(path, "ballast");
  return {
    path: join(path, "access.log"),
    // More than the disk holds.
    fill: () => writeFile(ballast, Buffer.alloc(8_388_608)).catch(() => {}),
    makeRoom: () => rm(ballast),
  };
}

/** Without mounts: a device that is always full, which a rotation replaces by a file. */
async function fullDevice(t: TestContext): Promise<Disk> {
  const { path: directory, remove } = await makeScratch();
  t.after(remove);
  const path = join(directory, "access.log");
  symlinkSync("/dev/full", path);
  return {
    path,
    fill: () => Promise.resolve(),
    makeRoom: async ({ program }) => {
      await rm(path);
      program.signal("SIGUSR1");
    },
  };
}

const disks = { "a full disk": smallDisk, "a full device, then a rotation": fullDevice };
const linux = process.platform === "linux" ? false : "Linux only";

for (const [name, make] of Object.entries(disks)) {
  test(
    `${name}: users see nothing of it, lines that are lost are counted, and one line says how many once there is room`,
    {
      skip: linux,
    },
    async (t) => {
      const disk = await make(t);
      if (disk === null) return t.skip("cannot mount");
      const service = await site(t, disk.path);
      await disk.fill();
      await service.visitors(320);
      await logsIn(service);
      await scrapeUntil(
        service.status,
        (samples) => total(samples, "postern_log_lines_lost_total", { log: "access" }) > 0,
      );
      await disk.makeRoom(service);
      const lost = await loggedAsLost(service, `"${disk.path}"`);
      await assertNoneMissing(service, () => readFile(disk.path, "utf8"), lost);
      const told = service.program.stderr.match(/\[alert\] .*: write\(\) to .*$/gm) ?? [];
      assert.equal(told.length, 1);
      assert.ok(told[0]?.endsWith(`"${disk.path}" failed (28: No space left on device)`), told[0]);
      // The next outage is news again, and lines that find room in time are not lost.
      await service.visitors(20);
      assert.equal(await service.lost(), lost);
    },
  );
}

test("a reader of standard output that does not read: users see nothing of it, and it gets all that found room to wait", async (t) => {
  const service = await site(t, "stdout");
  const { program } = service;
  program.pause();
  // More than what is on the way to the reader, and what may wait.
  await eventually("a line is lost", async () => {
    await service.visitors(100);
    return (await service.lost()) > 0;
  });
  await logsIn(service);
  program.resume();
  const lost = await loggedAsLost(service, "stdout");
  await service.visitors(20);
  await program.stop();
  const sessions = program.stdout.match(/^\d+ x+ end$/gm) ?? [];
  assert.equal(program.stdout.split("\n").length - 1, sessions.length);
  assert.ok(lost > 0);
});

test(
  "a reader of a named pipe that does not read: users see nothing of it, and no line is torn",
  { skip: linux },
  async (t) => {
    const { path: directory, remove } = await makeScratch();
    t.after(remove);
    const path = join(directory, "pipe");
    assert.equal(spawnSync("mkfifo", [path]).status, 0);
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    t.after(() => closeSync(reader));
    const service = await site(t, path);
    await service.visitors(400);
    await logsIn(service);
    assert.ok((await service.lost()) > 0);
    let text = "";
    const bytes = Buffer.alloc(65_536);
    const read = (): boolean => {
      try {
        text += bytes.toString("latin1", 0, readSync(reader, bytes));
        return true;
      } catch {
        return false;
      }
    };
    while (!/is written to again/.test(service.program.stderr)) {
      read();
      await scrape(service.status);
    }
    const lost = await loggedAsLost(service, `"${path}"`);
    const rest = (): Promise<string> => {
      while (read());
      return Promise.resolve(text);
    };
    await assertNoneMissing(service, rest, lost);
  },
);
