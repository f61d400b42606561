import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The server the pages talk to while they are being developed; built pages are served by `evalwright serve` itself.
const server = process.env["EVALWRIGHT_SERVER"] ?? "http://127.0.0.1:8321";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/evalwright/server/static",
    emptyOutDir: true,
    assetsInlineLimit: 0, // no data: addresses, the content security policy forbids them
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  server: { proxy: { "/api": server, "/healthz": server } },
});
