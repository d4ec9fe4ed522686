export default {
  base: "./",
  worker: { format: "es" },
  build: { rollupOptions: { input: ["inline.html", "asset.html", "in-worker.html", "guide/index.html"] } },
};
