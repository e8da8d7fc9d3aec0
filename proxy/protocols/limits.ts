/** Bytes that a peer can make the proxy hold before the login. Each limit is checked before bytes are kept. */

/**
 * A SASL response. RFC 4954 section 4.5 asks SMTP servers for 12,288 bytes, and tokens need as much in the other
 * protocols. nginx's buffer (4,096 by default, 128 in POP3) refuses them.
 */
export const SASL_LINE = 12_288;

/** A POP3 command. RFC 2449 section 4 asks for 255 bytes; nginx's 128 refuses long user names. */
export const POP3_LINE = 512;

/** Bytes that a client may send ahead of the replies. Reading pauses beyond them. */
export const PIPELINE = 16_384;
