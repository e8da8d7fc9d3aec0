/** What an attempt to log in has at hand, and so has its passage upstream. */
import type { ProtocolHandler } from "../protocols/index.ts";
import type { Deadline } from "../transport/index.ts";
import type { Client } from "./client.ts";
import type { Server } from "./server.ts";
import type { Standing } from "./standing.ts";
import type { Story } from "./story.ts";

export interface LoginContext {
  readonly server: Server;
  readonly client: Client;
  readonly dialogue: ProtocolHandler;
  readonly story: Story;
  readonly standing: Standing;
  /** The session's: set for each stage; when it fires, the session calls `expire`. */
  readonly deadline: Deadline;
}
