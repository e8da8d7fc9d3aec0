// Configurations to which Postern and Debian's nginx 1.22 answer differently, with the reasons.
import type { Kind } from "./snippets.ts";

export interface Difference {
  readonly nginx: readonly string[];
  readonly postern: readonly string[];
}

/** Postern does not require `events {}`, which nginx's own guide leaves out, but it requires a mail server. */
const noEvents: Difference = {
  nginx: ['[emerg] no "events" section in configuration'],
  postern: ['[emerg] no "mail" block in FILE:1'],
};

export const DIFFERENCES: { readonly [K in Kind]?: Readonly<Record<string, Difference>> } = {
  file: {
    "": noEvents,
    "# nothing": noEvents,
    "events {}\ninclude none/*.conf;": { ...noEvents, nginx: [] },
    "events {}\nmail {\n}": {
      nginx: [],
      postern: ['[emerg] no "server" in the "mail" block in FILE:2'],
    },
  },
  main: {
    // Debian builds nginx with debug support.
    "error_log memory:1m;": {
      nginx: [],
      postern: ["[emerg] postern was built without debug support in FILE:1"],
    },
    // Postern skips unknown blocks of the main context, which may be another module's.
    "rtmp { server { listen 1935; } }": {
      nginx: ['[emerg] unknown directive "rtmp" in FILE:1'],
      postern: [],
    },
  },
  mail: {
    // Postern does not know the directives of nginx's http modules.
    "root /x;": {
      nginx: ['[emerg] "root" directive is not allowed here in FILE:3'],
      postern: ['[emerg] unknown directive "root" in FILE:3'],
    },
    "auth_http https://127.0.0.1/x;": {
      nginx: ['[emerg] invalid port in auth_http "https://127.0.0.1/x" in FILE:3'],
      postern: [],
    },
    // Postern has no DNS over unix sockets.
    "resolver unix:/x;": {
      nginx: [],
      postern: ['[emerg] invalid host in resolver "unix:/x" in FILE:3'],
    },
    // New in nginx 1.23.
    "resolver 127.0.0.1 ipv4=off;": {
      nginx: ['[emerg] host not found in resolver "ipv4=off" in FILE:3'],
      postern: [],
    },
    // New in nginx 1.31.
    "proxy_protocol v2;": {
      nginx: [
        '[emerg] invalid value "v2" in "proxy_protocol" directive, it must be "on" or "off" in FILE:3',
      ],
      postern: [],
    },
    "proxy_protocol v3;": {
      nginx: [
        '[emerg] invalid value "v3" in "proxy_protocol" directive, it must be "on" or "off" in FILE:3',
      ],
      postern: ['[emerg] invalid value "v3" in FILE:3'],
    },
    "max_commands 10;": {
      nginx: ['[emerg] unknown directive "max_commands" in FILE:3'],
      postern: [],
    },
  },
  server: {
    "imap_auth xoauth2;": {
      nginx: ['[emerg] invalid value "xoauth2" in FILE:7'],
      postern: [],
    },
    "protocol smtp;\nsmtp_auth none;\nxclient off;": {
      nginx: [],
      postern: [
        '[warn] "smtp_auth none" without "xclient" or "proxy_protocol": the upstream sees this proxy as the client of every session, so its rules for client addresses (mynetworks) permit all clients or none in FILE:4',
      ],
    },
  },
};
