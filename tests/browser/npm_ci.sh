#!/bin/sh
# npm_ci.sh NPM FOLDER - installs what FOLDER/package-lock.json names, unless that is there already.
set -eu
npm=$1
folder=$2
if [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then
  exit 0
fi
exec "$npm" ci --prefix "$folder" --no-audit --no-fund --ignore-scripts
