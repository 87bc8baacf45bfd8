#!/bin/sh
# Brings what the project's commands need before any of its TypeScript can run: the locked npm packages, among them the
# Node release that the project is written for (a machine's own Node may be older). Does nothing when they are in place.
set -eu
cd "$(dirname "$0")/.."

if [ ! -f node_modules/.postern-lock ] || ! cmp -s package-lock.json node_modules/.postern-lock; then
  command -v npm >/dev/null || { echo "postern: npm is missing: install Node.js (any release with npm 10 or newer) and try again" >&2; exit 1; }
  echo "==> installing npm packages" >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json node_modules/.postern-lock
fi

PATH="$PWD/node_modules/.bin:$PATH"
major=$(node -p 'process.versions.node.split(".")[0]')
if [ "$major" -lt 24 ]; then
  echo "postern: Node $(node --version) is too old and no packaged Node exists for this platform: install Node 24 or newer" >&2
  exit 1
fi
