import { describe } from "node:test";
import { startPostern } from "../support/real-servers/index.ts";
import { lacking } from "../support/programs/requirements.ts";
import { endToEnd } from "./end-to-end.ts";

const skip = lacking("dovecot", "postfix", "curl", "swaks");

describe("Postern, before Dovecot and Postfix", { skip }, () => endToEnd(startPostern));
