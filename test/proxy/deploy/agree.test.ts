// The Dockerfile, and what platforms are told of the container, agree with each other and with Postern.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import manifest from "../../../package.json" with { type: "json" };
import { parseCommandLine } from "../../../proxy/cli/command-line.ts";
import { ENVIRONMENT, type Settings, readConfiguration } from "../../../proxy/config/index.ts";
import { formatAddress } from "../../../shared/address.ts";
import { variables } from "../../../proxy/config/sources/environment.ts";
import { writeCertificate } from "../../support/certificates/certificate.ts";
import { checkout, dockerfile, seconds, unit } from "./files.ts";
import { configure, mailBlock } from "../../support/proxy/configuration.ts";
import { compose, fly, kubernetes, platforms } from "./platforms.ts";

/** Each port of the outside, and the container's. */
const PORTS = new Map([
  [143, 1143],
  [993, 1993],
  [110, 1110],
  [995, 1995],
  [587, 1587],
  [465, 1465],
]);

/** Seconds between the last session's end and the kill, for the last lines of the log. */
const LAST_WORDS = 5;

let directory: string;
before(async () => {
  directory = mkdtempSync(join(tmpdir(), "postern-"));
  await writeCertificate(directory);
  writeFileSync(join(directory, "key"), "key\n");
});
after(() => rmSync(directory, { recursive: true }));

/** Settings from an environment, with files of the test in place of those of the platform. */
function settings(environment: Readonly<Record<string, string>>): Settings {
  const given = {
    ...environment,
    POSTERN_CERTIFICATE: join(directory, "certificate.pem"),
    POSTERN_CERTIFICATE_KEY: join(directory, "key.pem"),
    ...("POSTERN_AUTH_KEY_FILE" in environment && {
      POSTERN_AUTH_KEY_FILE: join(directory, "key"),
    }),
  };
  const source = { file: ENVIRONMENT, prefix: ".", globals: "", errorLog: null };
  return readConfiguration({ ...source, environment: given }).settings;
}

function instructions(name: string): string[] {
  return dockerfile().flatMap(([instruction, argument]) => (instruction === name ? argument : []));
}

describe("the Dockerfile", () => {
  test("exposes the ports of the environment's configuration", () => {
    const listens = settings({ POSTERN_AUTH_HTTP: "https://lookup.test/auth" }).servers.flatMap(
      ({ listen }) => listen.map(({ port }) => port),
    );
    const exposed = instructions("EXPOSE").flatMap((ports) => ports.split(" ").map(Number));
    assert.deepEqual(exposed, listens);
    assert.deepEqual(new Set(exposed), new Set(PORTS.values()));
  });

  test("runs as a user of its own, ends by QUIT, and starts existing files without a shell", () => {
    assert.deepEqual(instructions("USER"), ["65532:65532"]);
    assert.deepEqual(instructions("STOPSIGNAL"), ["SIGQUIT"]);
    assert.equal(instructions("FROM").at(-1), "scratch");
    const [check = ""] = instructions("HEALTHCHECK");
    for (const command of [...instructions("ENTRYPOINT"), check.replace(/^.* CMD /, "")]) {
      const [node, script = ""] = JSON.parse(command) as string[];
      assert.equal(node, "/usr/local/bin/node");
      assert.ok(existsSync(new URL(script.replace("/postern/", ""), checkout)), script);
    }
  });

  test("builds in a base that is named by its digest, or was built on this machine, and in no other", () => {
    const [check = ""] = instructions("RUN").filter((command) =>
      command.startsWith("case ${BASE}"),
    );
    const digest = `sha256:${"0a".repeat(32)}`;
    const isTaken = (base: string): boolean =>
      spawnSync("sh", ["-c", check], { env: { BASE: base } }).status === 0;
    for (const base of [`node@${digest}`, `node:26-slim@${digest}`, "localhost/base:1"]) {
      assert.ok(isTaken(base), base);
    }
    const byDefault = instructions("ARG")[0]?.replace("BASE=", "") ?? "";
    for (const base of [
      byDefault,
      "node:26-slim",
      "registry.test/localhost/base",
      "node@sha256:",
      "",
    ]) {
      assert.ok(!isTaken(base), base);
    }
    const [first, second] = dockerfile().slice(2);
    assert.deepEqual(first, ["ARG", "BASE"]);
    assert.deepEqual(second, ["RUN", check], "it is not the first step");
  });

  test("installs what the lock file says, and the Node whose digest is recorded", () => {
    const [install = ""] = instructions("RUN").filter((command) => command.includes("npm "));
    assert.match(install, /^npm ci --omit=dev /);
    const check = / && (grep -q .*?node\.sha256) /.exec(install)?.[1] ?? "";
    const isTaken = (cwd: URL, record: string): boolean =>
      spawnSync("sh", ["-c", check.replace("node.sha256", record)], { cwd }).status === 0;
    assert.ok(isTaken(checkout, "proxy/deploy/node.sha256"));
    assert.ok(!isTaken(checkout, "package.json"));
  });

  test("copies existing files", () => {
    const copied = instructions("COPY").filter((words) => !words.startsWith("--from"));
    for (const path of copied.flatMap((words) => words.split(" ").slice(0, -1))) {
      assert.ok(existsSync(new URL(path, checkout)), path);
    }
  });

  test("ends by default within Docker's ten seconds", () => {
    const { worker_shutdown_timeout } = settings({ POSTERN_AUTH_HTTP: "https://lookup.test/auth" });
    assert.ok(worker_shutdown_timeout > 0 && worker_shutdown_timeout < 10_000);
  });

  test("installs each package that the proxy imports as a production dependency", () => {
    const sources = globSync("{proxy,shared}/**/*.ts", { cwd: checkout });
    assert.ok(sources.length > 100);
    const packages = sources.flatMap((path) => {
      const text = readFileSync(new URL(path, checkout), "utf8");
      const imports = text.matchAll(
        /^(?:import|export|\}) .*?from "((?:@[^/"]+\/)?[^./"][^/"]*)/gm,
      );
      return [...imports].map(([, name = ""]) => name).filter((name) => !isBuiltin(name));
    });
    assert.ok(packages.includes("sonic-boom"));
    assert.deepEqual(
      packages.filter((name) => !Object.hasOwn(manifest.dependencies, name)),
      [],
    );
  });
});

for (const { name, environment, ports, files, grace } of platforms) {
  describe(name, () => {
    test("sets existing variables", () => {
      for (const variable of Object.keys(environment))
        assert.ok(variables.includes(variable), variable);
      assert.ok(environment["POSTERN_AUTH_HTTP"]?.startsWith("https://"));
    });

    test("maps each outer port to the inner one", () => {
      assert.deepEqual(ports, PORTS);
    });

    test("mounts each file that a variable names", () => {
      const paths = Object.values(environment).filter((value) => value.startsWith("/"));
      assert.ok(paths.length >= 2);
      for (const path of paths) assert.ok(files.includes(path), path);
    });

    test("kills only after the time that sessions have", () => {
      const { drain_delay, worker_shutdown_timeout } = settings(environment);
      assert.ok(worker_shutdown_timeout > 0);
      const time = (drain_delay + worker_shutdown_timeout) / 1000;
      assert.ok(time + LAST_WORDS <= grace, `${grace} s`);
    });
  });
}

describe("platforms:", () => {
  test("Kubernetes's objects refer to each other", () => {
    const { Deployment, services, ServiceMonitor, PodDisruptionBudget, HorizontalPodAutoscaler } =
      kubernetes();
    const { labels } = Deployment.spec.template.metadata;
    assert.deepEqual(Deployment.spec.selector.matchLabels, labels);
    for (const { spec } of services.values()) assert.deepEqual(spec.selector, labels);
    assert.deepEqual(PodDisruptionBudget.spec.selector.matchLabels, labels);
    const status = services.get("postern-status")!;
    assert.deepEqual(ServiceMonitor.spec.selector.matchLabels, status.metadata.labels);
    assert.deepEqual(
      ServiceMonitor.spec.endpoints.map(({ port, path }) => [port, path]),
      status.spec.ports.map(({ name }) => [name, "/metrics"]),
    );
    const { scaleTargetRef, metrics } = HorizontalPodAutoscaler.spec;
    assert.deepEqual(scaleTargetRef, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      name: "postern",
    });
    assert.deepEqual(
      metrics.map(({ pods }) => pods.metric.name),
      ["postern_sessions"],
    );
  });

  test("Kubernetes keeps clients' addresses, and confines the container", () => {
    const { Deployment, services } = kubernetes();
    const { securityContext, containers, volumes } = Deployment.spec.template.spec;
    assert.equal(services.get("postern")!.spec.externalTrafficPolicy, "Local");
    const [uid] = instructions("USER")[0]!.split(":");
    assert.deepEqual(
      [securityContext.runAsNonRoot, securityContext.runAsUser],
      [true, Number(uid)],
    );
    assert.equal(containers[0].securityContext["readOnlyRootFilesystem"], true);
    assert.deepEqual(
      containers[0].volumeMounts.map(({ name }) => name),
      volumes.map(({ name }) => name),
    );
  });

  test("Kubernetes and Fly.io check the status port, which Kubernetes does not publish", () => {
    const { Deployment, services } = kubernetes();
    const [{ env, ports, readinessProbe, livenessProbe }] =
      Deployment.spec.template.spec.containers;
    const listen = env.find(({ name }) => name === "POSTERN_STATUS_LISTEN")!.value;
    const port = Number(listen.split(":").at(-1));
    assert.deepEqual(
      ports.filter(({ name }) => name === "status"),
      [{ name: "status", containerPort: port }],
    );
    assert.deepEqual(readinessProbe.httpGet, { path: "/readyz", port: "status" });
    assert.deepEqual(livenessProbe.httpGet, { path: "/healthz", port: "status" });
    const published = services.get("postern")!.spec.ports.map(({ targetPort }) => targetPort);
    assert.ok(!published.includes("status"));
    const { checks, metrics, env: onFly } = fly();
    assert.equal(checks.ready.path, "/readyz");
    assert.equal(metrics.path, "/metrics");
    for (const asked of [checks.ready.port, metrics.port]) {
      assert.ok(onFly["POSTERN_STATUS_LISTEN"]!.endsWith(`:${asked}`));
    }
  });

  test("Kubernetes and Fly.io see that a container is not ready before it stops listening", () => {
    const [{ readinessProbe }] = kubernetes().Deployment.spec.template.spec.containers;
    const { interval, timeout } = fly().checks.ready;
    const takes = new Map([
      ["Kubernetes", readinessProbe.periodSeconds * readinessProbe.failureThreshold],
      ["Fly.io", seconds(interval) + seconds(timeout)],
    ]);
    for (const { name, environment } of platforms) {
      const { drain_delay } = settings(environment);
      assert.ok(drain_delay / 1000 >= (takes.get(name) ?? 0), name);
    }
  });

  test("Fly.io sends the client's address by PROXY, and is trusted", () => {
    const { services, env, kill_signal } = fly();
    assert.equal(kill_signal, instructions("STOPSIGNAL")[0]);
    assert.ok(env["POSTERN_TRUSTED_NETWORKS"]);
    for (const { concurrency, ports } of services) {
      assert.deepEqual(
        ports.flatMap(({ handlers }) => handlers),
        ["proxy_proto"],
      );
      assert.equal(concurrency.type, "connections");
      assert.ok(concurrency.soft_limit < concurrency.hard_limit);
    }
  });

  test("Compose builds this Dockerfile, and ends it by its signal", () => {
    const { build, stop_signal, read_only } = compose();
    assert.equal(new URL(build.context, new URL("proxy/deploy/", checkout)).href, checkout.href);
    assert.ok(existsSync(new URL(build.dockerfile, checkout)));
    assert.equal(stop_signal, instructions("STOPSIGNAL")[0]);
    assert.equal(read_only, true);
  });
});

describe("the systemd unit", () => {
  const service = unit("postern.service");
  const value = (key: string): string => service.get(`Service.${key}`)!.join("\n");

  test("starts a file of the checkout, with a valid command line", () => {
    const [node = "", script = "", ...words] = value("ExecStart").split(" ");
    const home = value("WorkingDirectory");
    assert.equal(node, `${home}/node_modules/node/bin/node`);
    assert.ok(existsSync(new URL(script, checkout)));
    const { file, errorLog } = parseCommandLine(words);
    assert.deepEqual([file, errorLog], ["/etc/nginx/nginx.conf", "stderr"]);
  });

  test("drains by QUIT to the primary alone, and reloads by HUP", () => {
    assert.equal(value("KillSignal"), "SIGQUIT");
    assert.equal(value("KillMode"), "mixed");
    assert.equal(value("ExecReload"), "/bin/kill -HUP $MAINPID");
    assert.ok(Number(value("TimeoutStopSec")) >= 300 + LAST_WORDS);
  });

  test("allows V8 machine code, and the primary to change the workers' user", () => {
    assert.equal(service.get("Service.MemoryDenyWriteExecute"), undefined);
    const capabilities = value("CapabilityBoundingSet").split(" ");
    for (const needed of ["NET_BIND_SERVICE", "SETUID", "SETGID", "KILL", "CHOWN"]) {
      assert.ok(capabilities.includes(`CAP_${needed}`), needed);
    }
  });
});

describe("the systemd socket", () => {
  const socket = unit("postern.socket");
  const streams = socket.get("Socket.ListenStream")!;

  test("names each address in Postern's form, by which Postern finds the socket", () => {
    const listens = streams.map((address) => `listen ${address};`).join(" ");
    const [server] = configure(mailBlock("").replace("listen 143;", listens)).servers;
    assert.deepEqual(server!.listen.map(formatAddress), streams);
    assert.ok(server!.listen.every(({ ipv6only }) => ipv6only));
    assert.deepEqual(socket.get("Socket.BindIPv6Only"), ["ipv6-only"]);
  });

  test("has each public port, and hands over listening sockets", () => {
    const ports = streams.map((address) => Number(address.split(":").at(-1)));
    assert.deepEqual(new Set(ports), new Set(PORTS.keys()));
    assert.equal(socket.get("Socket.Accept"), undefined);
    assert.deepEqual(socket.get("Install.WantedBy"), ["sockets.target"]);
  });
});
