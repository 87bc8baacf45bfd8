#!/usr/bin/env node
// Plain JavaScript, so that a Node which cannot run the rest says so instead of failing at the first type.
import module from 'node:module';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(`postern: Node ${process.version} is too old: use Node 24.12 or newer.\n`);
  process.exitCode = 2;
} else {
  // Compiled code is kept in the system's temporary folder: it halves the start.
  module.enableCompileCache();
  await import('../src/main/cli.ts');
}
