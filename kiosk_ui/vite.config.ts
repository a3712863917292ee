import { defineConfig } from "vite";

// Three pages from one workspace. Vite compiles TSX itself; Preact needs no plugin.
export default defineConfig({
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "chrome120",
    outDir: "dist",
    emptyOutDir: true,
    // The content security policy allows no data: scripts or styles, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: ["kiosk.html", "till.html", "display.html", "console.html"] },
  },
});
