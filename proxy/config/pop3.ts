/** nginx's ngx_mail_pop3_module. */
import { MAIL, type Rows, allOf } from "./directive.ts";
import { someOf, words } from "./values.ts";

export const pop3 = {
  pop3_auth: {
    in: MAIL,
    args: [1, Number.POSITIVE_INFINITY],
    read: allOf(someOf("plain")),
    default: ["plain"] as readonly "plain"[],
  },
  pop3_capabilities: {
    in: MAIL,
    args: [1, Number.POSITIVE_INFINITY],
    read: allOf(words),
    default: ["TOP", "USER", "UIDL"] as readonly string[],
  },
} satisfies Rows;
