// What listens where: all on loopback, every port moved by the same amount.

export const host = "127.0.0.1";

export type Places = ReturnType<typeof places>;

/** The proxy's are those of `postern.conf`. */
export function places(shift: number) {
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

export function allPorts(everything: Places): number[] {
  return Object.values(everything).flatMap((listeners) => Object.values<number>(listeners));
}

/** A configuration with each of its `127.0.0.1:PORT` moved. */
export function shifted(config: string, shift: number): string {
  return config.replaceAll(/\b127\.0\.0\.1:(\d+)/g, (_, port) => `${host}:${Number(port) + shift}`);
}
