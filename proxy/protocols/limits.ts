/** What a peer may make us hold before the login. Each is checked before bytes are kept. */

/**
 * A SASL response, bytes: RFC 4954 section 4.5 wants 12,288 of SMTP servers, and tokens need as much in the
 * other protocols. nginx's buffer (4,096 by default, 128 in POP3) refuses them.
 */
export const SASL_LINE = 12_288;

/** A POP3 command, bytes: RFC 2449 section 4 asks for 255; nginx's 128 cuts long user names. */
export const POP3_LINE = 512;

/** What a client may send ahead of our replies before we stop reading, bytes. */
export const PIPELINE = 16_384;
