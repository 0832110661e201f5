// The library as the page loads it: `scripts/copy-assets.mjs` puts its standalone build beside the page under this name.
export * from 'lightweight-charts';
