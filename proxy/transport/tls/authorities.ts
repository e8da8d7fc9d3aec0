import { getCACertificates, setDefaultCACertificates } from "node:tls";

/**
 * Adds the system's authorities to Node's in this process. Worker processes get them by `NODE_USE_SYSTEM_CA`; an
 * operator who sets that variable has chosen already.
 */
export function trustSystem(): void {
  if (process.env["NODE_USE_SYSTEM_CA"] !== undefined) return;
  setDefaultCACertificates([...getCACertificates("default"), ...getCACertificates("system")]);
}
