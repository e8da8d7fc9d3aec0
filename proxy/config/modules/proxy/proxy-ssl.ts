/** TLS to upstreams: directives of nginx's ngx_stream_proxy_module, which nginx's mail modules lack. */
import { MAIL, type Rows, type Values, once } from "../../language/row.ts";
import {
  type ClientTlsValues,
  ciphers,
  commands,
  file,
  passwords,
  protocols,
} from "../../tls/index.ts";
import { flag, oneOf, text } from "../../language/values.ts";

/** The use of TLS, and the expected name. */
export const upstreamSecurity = {
  /** Null where the upstream's port decides. `starttls` is ours. */
  proxy_ssl: {
    in: MAIL,
    args: 1,
    read: once(oneOf("off", "on", "starttls")),
    default: null as "off" | "on" | "starttls" | null,
  },
  /** The name to expect in the upstream's certificate; null for the upstream's host name. */
  proxy_ssl_name: { in: MAIL, args: 1, read: once(text), default: null as string | null },
} satisfies Rows;

/** The parameters of TLS. Unlike nginx, Postern verifies certificates and sends the server name by default. */
export const proxySsl = {
  proxy_ssl_verify: { in: MAIL, args: 1, read: once(flag), default: true },
  proxy_ssl_trusted_certificate: file,
  proxy_ssl_crl: file,
  proxy_ssl_certificate: file,
  proxy_ssl_certificate_key: file,
  proxy_ssl_password_file: passwords,
  proxy_ssl_protocols: protocols("proxy_ssl_ciphers"),
  proxy_ssl_ciphers: ciphers,
  proxy_ssl_conf_command: commands,
  proxy_ssl_server_name: { in: MAIL, args: 1, read: once(flag), default: true },
  proxy_ssl_session_reuse: { in: MAIL, args: 1, read: once(flag), default: true },
} satisfies Rows;

export function upstreamTls(values: Values<typeof proxySsl>): ClientTlsValues {
  return {
    directives: "proxy_ssl_*",
    peer: "upstream",
    verify: values.proxy_ssl_verify,
    trusted: values.proxy_ssl_trusted_certificate,
    crl: values.proxy_ssl_crl,
    certificate: values.proxy_ssl_certificate,
    certificateKey: values.proxy_ssl_certificate_key,
    passwords: values.proxy_ssl_password_file,
    protocols: values.proxy_ssl_protocols,
    ciphers: values.proxy_ssl_ciphers,
    commands: values.proxy_ssl_conf_command,
    serverName: values.proxy_ssl_server_name,
    sessionReuse: values.proxy_ssl_session_reuse,
  };
}
