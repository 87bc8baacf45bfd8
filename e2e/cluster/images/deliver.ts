import { run, runPipe } from '../command.ts';
import { fullName } from './source.ts';

/** Makes sure that every node holds every image; loads only what is missing. */
export async function deliverImages(nodes: readonly string[], references: readonly string[]): Promise<void> {
  await Promise.all(
    nodes.map(async (node) => {
      const present = new Set((await onNode(node, ['images', 'ls', '-q'])).split('\n'));
      const missing = references.filter((reference) => !present.has(fullName(reference)));
      if (missing.length === 0) return;
      await runPipe(
        ['docker', 'save', ...missing],
        ['docker', 'exec', '-i', node, 'ctr', '-n', 'k8s.io', 'images', 'import', '-'],
      );
    }),
  );
}

async function onNode(node: string, commandArguments: readonly string[]): Promise<string> {
  return await run('docker', ['exec', node, 'ctr', '-n', 'k8s.io', ...commandArguments]);
}
