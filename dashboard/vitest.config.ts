import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [svelte()],
  resolve: { conditions: ["browser"] },
  // a test that needs a document says so in its first line: to load one takes a second for each file
  test: { environment: "node", include: ["tests/**/*.test.ts"] },
});
