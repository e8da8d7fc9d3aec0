import { eq } from "drizzle-orm";
import type { Directory } from "./database.ts";
import { adminTokens } from "./schema/index.ts";

/** False if the token with this digest was deleted. Reads the primary database. */
export async function tokenExists(directory: Directory, digest: string): Promise<boolean> {
  const found = await directory
    .select({ name: adminTokens.name })
    .from(adminTokens)
    .where(eq(adminTokens.digest, digest));
  return found.length > 0;
}
