import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: "es2023",
    modulePreload: { polyfill: false },
    // nothing as a data: address: scripts and fonts from there are forbidden to the page
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
  },
  server: {
    proxy: { "/api": { target: process.env.ENNIO_URL ?? "http://127.0.0.1:8080", ws: true } },
  },
});
