import { describe } from "node:test";
import { startNginx } from "../support/real-servers/index.ts";
import { lacking } from "../support/programs/requirements.ts";
import { endToEnd } from "./end-to-end.ts";

const skip = lacking("nginx", "dovecot", "postfix", "curl", "swaks");

describe("Stock nginx with our worker as its auth_http", { skip }, () => endToEnd(startNginx));
