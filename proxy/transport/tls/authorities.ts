import { getCACertificates, setDefaultCACertificates } from "node:tls";

/**
 * From now on this process trusts the authorities that the system does, beside those that Node brings along, as
 * worker processes do from their start. Whoever has said by `NODE_USE_SYSTEM_CA` what they want has it already.
 */
export function trustSystem(): void {
  if (process.env["NODE_USE_SYSTEM_CA"] !== undefined) return;
  setDefaultCACertificates([...getCACertificates("default"), ...getCACertificates("system")]);
}
