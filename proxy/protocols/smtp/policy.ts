/** SMTP's part of the configuration, made once for all sessions of a server. */
import type { ByteString } from "../../../shared/lookup.ts";
import type { ServerSettings } from "../../config/index.ts";
import type { Configuration } from "../command-handler.ts";
import { SASL_LINE } from "../limits.ts";
import { type LoginPolicy, loginPolicy } from "../login-policy.ts";

export interface SmtpPolicy extends LoginPolicy {
  /** The reply to EHLO. */
  readonly extensions: ByteString;
}

export interface SmtpConfiguration extends Configuration<SmtpPolicy> {
  readonly greeting: ByteString;
  /** The reply to HELO. */
  readonly hello: ByteString;
  /** True where mail is accepted without a login (`smtp_auth none`). */
  readonly withoutLogin: boolean;
  /** Bytes of AUTH, which may carry a SASL response. */
  readonly maxAuth: number;
}

export function configureSmtp(settings: ServerSettings): SmtpConfiguration {
  const { server_name, smtp_auth, smtp_client_buffer } = settings;
  return {
    settings,
    clear: smtpPolicy(settings, false),
    tls: smtpPolicy(settings, true),
    greeting: `220 ${server_name} ESMTP ready\r\n`,
    hello: `250 ${server_name}\r\n`,
    withoutLogin: smtp_auth.includes("none"),
    maxAuth: Math.max(smtp_client_buffer, SASL_LINE),
  };
}

function smtpPolicy(settings: ServerSettings, secure: boolean): SmtpPolicy {
  const { server_name, smtp_auth, smtp_capabilities, proxy_client_id } = settings;
  const policy = loginPolicy(settings, smtp_auth, secure);
  const mechanisms = policy.announced
    .filter((name) => name !== "none")
    .map((name) => name.toUpperCase());
  const lines = [
    server_name,
    ...smtp_capabilities,
    ...(proxy_client_id ? ["XCLIENT TTL"] : []),
    ...(mechanisms.length > 0 ? [`AUTH ${mechanisms.join(" ")}`] : []),
    ...(policy.starttlsAvailable ? ["STARTTLS"] : []),
  ];
  const extensions = lines
    .map((line, index) => `250${index === lines.length - 1 ? " " : "-"}${line}\r\n`)
    .join("");
  return { ...policy, extensions };
}
