// The ports of the demo, all on loopback and all moved by the same amount.

export const host = "127.0.0.1";

export type DemoPorts = ReturnType<typeof demoPorts>;

/** The ports of the proxy are those in `postern.conf`. */
export function demoPorts(shift: number) {
  return {
    proxy: {
      imap: 1143 + shift,
      imaps: 1993 + shift,
      pop3: 1110 + shift,
      pop3s: 1995 + shift,
      smtp: 1587 + shift,
      smtps: 1465 + shift,
    },
    worker: { http: 8787 + shift },
    mail1: { imap: 2143 + shift, pop3: 2110 + shift, smtp: 2587 + shift },
    mail2: { imap: 3143 + shift, pop3: 3110 + shift, smtp: 3587 + shift },
  };
}

export const largestShift = 65_535 - 8787;

export function allPorts(ports: DemoPorts): number[] {
  return Object.values(ports).flatMap((listeners) => Object.values<number>(listeners));
}

/** Moves each `127.0.0.1:PORT` of a configuration. */
export function shifted(config: string, shift: number): string {
  return config.replaceAll(/\b127\.0\.0\.1:(\d+)/g, (_, port) => `${host}:${Number(port) + shift}`);
}
