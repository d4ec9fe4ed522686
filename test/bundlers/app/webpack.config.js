export default {
  mode: "production",
  entry: { inline: "./inline.js", asset: "./asset.js", "in-worker": "./in-worker.js" },
  output: { path: `${import.meta.dirname}/webpack` },
  performance: { hints: false },
};
