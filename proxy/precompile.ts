/** Loads all that commands, a start and workers load, so that an image that cannot be written to holds it compiled. */
await Promise.all([
  import("./cli/main.ts"),
  import("./observe/index.ts"),
  import("./process/control/command.ts"),
  import("./process/os/daemon.ts"),
  import("./process/os/pid-file.ts"),
  import("./process/primary/check.ts"),
  import("./process/primary/primary.ts"),
  import("./process/worker/main.ts"),
]);
