import { defineConfig } from "drizzle-kit";

// Paths are relative to the repository's root, where `npm run generate` runs.
export default defineConfig({
  dialect: "sqlite",
  schema: "worker/directory/schema/index.ts",
  out: "worker/migrations",
});
