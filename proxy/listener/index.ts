/** Who comes in, and how. */
export {
  type Proxied,
  type ProxyHeader,
  InvalidProxyHeader,
  readProxyHeader,
} from "./proxy-header.ts";
export { serverTls } from "./tls.ts";
