#!/bin/sh
# Builds the program from a clean checkout into a folder that needs nothing but Node.
# Usage: build.sh CHECKOUT TARGET
set -eu
checkout=$1
target=$2

cd "$checkout"
npm ci --no-audit --no-fund
npm run -s build
# PostgreSQL's own binaries are for the native stack: here a server runs in the next container.
npm prune --omit=dev --omit=optional --no-audit --no-fund

mkdir -p "$target"
cp -R dist node_modules package.json scripts spark-sql templates "$target"
chmod +x "$target/dist/main.js"
