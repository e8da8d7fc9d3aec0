/** POP3's part of the configuration, made once for all sessions of a server. */
import type { ByteString } from "../../../shared/lookup.ts";
import type { ServerSettings } from "../../config/index.ts";
import type { Configuration } from "../command-handler.ts";
import { type LoginPolicy, loginPolicy } from "../login-policy.ts";

export interface Pop3Policy extends LoginPolicy {
  /** The reply to CAPA. */
  readonly capabilities: ByteString;
  /** The reply to CAPA between USER and PASS, where STLS is not accepted. nginx does not list it there either. */
  readonly capabilitiesAfterUser: ByteString;
  /** The reply to AUTH without a mechanism. */
  readonly methods: ByteString;
}

export interface Pop3Configuration extends Configuration<Pop3Policy> {
  /** The greeting without its salt and line end. Dovecot announces XCLIENT by `[XCLIENT]`. */
  readonly greeting: ByteString;
  /** True where the greeting carries the salt, which announces APOP (RFC 1939 section 7). */
  readonly saltInGreeting: boolean;
  readonly apop: boolean;
}

export function configurePop3(settings: ServerSettings): Pop3Configuration {
  const { pop3_auth, proxy_client_id } = settings;
  // `plain` stands for USER and PASS, AUTH PLAIN and AUTH LOGIN.
  const methods = pop3_auth.flatMap((name) => (name === "plain" ? [name, "login"] : name));
  return {
    settings,
    clear: pop3Policy(settings, methods, false),
    tls: pop3Policy(settings, methods, true),
    greeting: proxy_client_id ? "+OK [XCLIENT] POP3 ready" : "+OK POP3 ready",
    saltInGreeting: methods.includes("apop") || methods.includes("cram-md5"),
    apop: methods.includes("apop"),
  };
}

function pop3Policy(
  settings: ServerSettings,
  methods: readonly string[],
  secure: boolean,
): Pop3Policy {
  const policy = loginPolicy(settings, methods, secure);
  // APOP is a command and not a SASL mechanism.
  const mechanisms = policy.announced
    .filter((name) => name !== "apop")
    .map((name) => name.toUpperCase());
  const capabilities = policy.starttlsRequired
    ? settings.pop3_capabilities.filter((word) => word !== "USER")
    : [...settings.pop3_capabilities, ["SASL", ...mechanisms].join(" ")];
  const title = "+OK Capability list follows";
  return {
    ...policy,
    capabilities: multiLine(
      title,
      policy.starttlsAvailable ? [...capabilities, "STLS"] : capabilities,
    ),
    capabilitiesAfterUser: multiLine(title, capabilities),
    methods: multiLine("+OK methods supported:", mechanisms),
  };
}

/** RFC 1939 section 3. */
function multiLine(title: string, lines: readonly string[]): ByteString {
  return `${[title, ...lines, "."].join("\r\n")}\r\n`;
}
