import type { Resource } from "../rows/resource.ts";
import { operatorResources } from "./operators.ts";
import { routingResources } from "./routing.ts";
import { secretRows } from "./secrets.ts";
import { userResources } from "./users.ts";

export { completeToken } from "./operators.ts";
export { newUser, userRows } from "./users.ts";

/** All resources of the API. */
export const RESOURCES: readonly Resource[] = [
  ...userResources,
  secretRows,
  ...routingResources,
  ...operatorResources,
];
