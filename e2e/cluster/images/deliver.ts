import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { run, runPipe } from '../command.ts';
import { type Layout, layOut } from './layout.ts';
import { fullName } from './source.ts';

/** Makes sure that every node holds every image; sends each node only the layers that it lacks. */
export async function deliverImages(nodes: readonly string[], references: readonly string[]): Promise<void> {
  const lacking = new Map<string, readonly string[]>();
  for (const node of nodes) {
    const present = new Set((await onNode(node, ['images', 'ls', '-q'])).split('\n'));
    const missing = references.filter((reference) => !present.has(fullName(reference)));
    if (missing.length > 0) lacking.set(node, missing);
  }
  const sent = [...new Set([...lacking.values()].flat())];
  if (sent.length === 0) return;
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-'));
  try {
    await runPipe(['docker', 'save', ...sent], ['tar', '-x', '-C', folder]);
    const layout = await layOut(folder);
    await Promise.all([...lacking.keys()].map((node) => send(layout, node)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function send(layout: Layout, node: string): Promise<void> {
  const held = new Set((await onNode(node, ['content', 'ls', '-q'])).split('\n'));
  await runPipe(
    ['tar', '-c', '-C', layout.folder, ...layout.filesWithout(held)],
    ['docker', 'exec', '-i', node, 'ctr', '-n', 'k8s.io', 'images', 'import', '-'],
  );
}

async function onNode(node: string, commandArguments: readonly string[]): Promise<string> {
  return await run('docker', ['exec', node, 'ctr', '-n', 'k8s.io', ...commandArguments]);
}
