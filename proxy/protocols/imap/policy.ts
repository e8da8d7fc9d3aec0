/** IMAP's part of the configuration, made once for all sessions of a server. */
import type { ByteString } from "../../../shared/lookup.ts";
import type { ServerSettings } from "../../config/index.ts";
import type { Configuration } from "../command-handler.ts";
import { SASL_LINE } from "../limits.ts";
import { type LoginPolicy, loginPolicy } from "../login-policy.ts";
import type { ParserOptions } from "./command.ts";

export interface ImapPolicy extends LoginPolicy {
  /** The untagged reply to CAPABILITY. */
  readonly capability: ByteString;
}

export interface ImapConfiguration extends Configuration<ImapPolicy> {
  readonly parser: ParserOptions;
}

export function configureImap(settings: ServerSettings): ImapConfiguration {
  const { imap_client_buffer, proxy_client_id } = settings;
  return {
    settings,
    clear: imapPolicy(settings, false),
    tls: imapPolicy(settings, true),
    parser: {
      maxCommand: imap_client_buffer,
      maxAuthenticate: Math.max(imap_client_buffer, SASL_LINE),
      acceptsId: proxy_client_id,
    },
  };
}

function imapPolicy(settings: ServerSettings, secure: boolean): ImapPolicy {
  const { imap_auth, imap_capabilities, proxy_client_id } = settings;
  const policy = loginPolicy(settings, imap_auth, secure);
  const capabilities = [
    ...imap_capabilities,
    ...(proxy_client_id && !imap_capabilities.includes("ID") ? ["ID"] : []),
    ...policy.announced.map((name) => `AUTH=${name.toUpperCase()}`),
    ...(policy.starttlsAvailable ? ["STARTTLS"] : []),
    ...(policy.passwordsAllowed ? [] : ["LOGINDISABLED"]),
  ];
  return { ...policy, capability: `* CAPABILITY ${capabilities.join(" ")}\r\n` };
}
