/** Who comes in. */
export {
  type Proxied,
  type ProxyHeader,
  InvalidProxyHeader,
  readProxyHeader,
} from "./proxy-header.ts";
