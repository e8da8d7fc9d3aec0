// The container by each platform's file, in one form.
import { seconds, toml, yaml } from "./files.ts";

export interface Platform {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Ports of the outside, each with the container's. */
  readonly ports: ReadonlyMap<number, number>;
  /** Files that the platform puts into the container. */
  readonly files: readonly string[];
  /** Seconds from the signal to the kill. */
  readonly grace: number;
}

interface Container {
  env: { name: string; value: string }[];
  ports: { name: string; containerPort: number }[];
  volumeMounts: { name: string; mountPath: string }[];
  readinessProbe: {
    httpGet: { path: string; port: string };
    periodSeconds: number;
    failureThreshold: number;
  };
  livenessProbe: { httpGet: { path: string; port: string } };
  securityContext: Record<string, unknown>;
}

export interface Kubernetes {
  Deployment: {
    spec: {
      selector: { matchLabels: object };
      template: {
        metadata: { labels: object };
        spec: {
          terminationGracePeriodSeconds: number;
          securityContext: { runAsUser: number; runAsNonRoot: boolean };
          containers: [Container];
          volumes: { name: string; secret: object }[];
        };
      };
    };
  };
  /** By name. */
  services: ReadonlyMap<string, Service>;
  ServiceMonitor: {
    spec: { selector: { matchLabels: object }; endpoints: { port: string; path: string }[] };
  };
  PodDisruptionBudget: { spec: { selector: { matchLabels: object }; maxUnavailable: number } };
  HorizontalPodAutoscaler: {
    spec: { scaleTargetRef: object; metrics: { pods: { metric: { name: string } } }[] };
  };
}

interface Service {
  metadata: { name: string; labels?: object };
  spec: {
    externalTrafficPolicy?: string;
    selector: object;
    ports: { name: string; port: number; targetPort: string }[];
  };
}

type Kind = Exclude<keyof Kubernetes, "services">;

export function kubernetes(): Kubernetes {
  const documents = yaml("kubernetes.yaml") as { kind: string }[];
  const one = <Name extends Kind>(kind: Name): Kubernetes[Name] => {
    const found = documents.filter((document) => document.kind === kind);
    if (found.length !== 1) throw new Error(`${found.length} of kind ${kind}`);
    return found[0] as unknown as Kubernetes[Name];
  };
  const services = documents.filter(({ kind }) => kind === "Service") as unknown as Service[];
  return {
    Deployment: one("Deployment"),
    services: new Map(services.map((service) => [service.metadata.name, service])),
    ServiceMonitor: one("ServiceMonitor"),
    PodDisruptionBudget: one("PodDisruptionBudget"),
    HorizontalPodAutoscaler: one("HorizontalPodAutoscaler"),
  };
}

function onKubernetes(): Platform {
  const { Deployment, services } = kubernetes();
  const { spec } = Deployment.spec.template;
  const [container] = spec.containers;
  const inside = new Map(container.ports.map(({ name, containerPort }) => [name, containerPort]));
  const mounts = container.volumeMounts.map(({ mountPath }) => mountPath);
  return {
    name: "Kubernetes",
    environment: Object.fromEntries(container.env.map(({ name, value }) => [name, value])),
    ports: new Map(
      services
        .get("postern")!
        .spec.ports.map(({ port, targetPort }) => [port, inside.get(targetPort)!]),
    ),
    files: mounts.flatMap((path) => [`${path}/key`, `${path}/tls.crt`, `${path}/tls.key`]),
    grace: spec.terminationGracePeriodSeconds,
  };
}

export interface Fly {
  kill_signal: string;
  kill_timeout: string;
  env: Record<string, string>;
  files: { guest_path: string }[];
  checks: { ready: { port: number; path: string; interval: string; timeout: string } };
  metrics: { port: number; path: string };
  services: {
    internal_port: number;
    concurrency: { type: string; soft_limit: number; hard_limit: number };
    ports: { port: number; handlers: string[] }[];
  }[];
}

export function fly(): Fly {
  return toml("fly.toml") as Fly;
}

function onFly(): Platform {
  const { env, files, services, kill_timeout } = fly();
  return {
    name: "Fly.io",
    environment: env,
    ports: new Map(
      services.flatMap(({ internal_port, ports }) =>
        ports.map(({ port }) => [port, internal_port] as const),
      ),
    ),
    files: files.map(({ guest_path }) => guest_path),
    grace: seconds(kill_timeout),
  };
}

export interface Compose {
  services: {
    postern: {
      build: { context: string; dockerfile: string };
      stop_signal: string;
      stop_grace_period: string;
      environment: Record<string, string>;
      secrets: string[];
      ports: string[];
      read_only: boolean;
    };
  };
}

export function compose(): Compose["services"]["postern"] {
  const [document] = yaml("compose.yaml") as [Compose];
  return document.services.postern;
}

function withCompose(): Platform {
  const { environment, ports, secrets, stop_grace_period } = compose();
  const written = Object.entries(environment);
  return {
    name: "Compose",
    // `${NAME:-default}` with nothing set.
    environment: Object.fromEntries(
      written.map(([name, value]) => [name, value.replace(/^\$\{\w+:-(.*)\}$/, "$1")]),
    ),
    ports: new Map(ports.map((pair) => pair.split(":").map(Number) as [number, number])),
    files: secrets.map((name) => `/run/secrets/${name}`),
    grace: seconds(stop_grace_period),
  };
}

export const platforms: readonly Platform[] = [onKubernetes(), onFly(), withCompose()];
