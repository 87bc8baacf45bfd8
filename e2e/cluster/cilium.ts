import { readFileSync } from 'node:fs';
import path from 'node:path';

import { run } from './command.ts';
import { moduleSource } from './toolchain.ts';
import { assetPath } from './workspace.ts';

/** The chart's values. */
export function ciliumValues(): string {
  return readFileSync(ciliumValuesFile(), 'utf8');
}

/** Installs Cilium from the chart in its Go module, which go.sum checksums. */
export async function installCilium(helm: string, kubectl: string, kubeconfig: string): Promise<void> {
  const source = await moduleSource('cilium', 'github.com/cilium/cilium');
  const chart = path.join(source, 'install', 'kubernetes', 'cilium');
  const manifests = await run(helm, ['template', 'cilium', chart, '-n', 'kube-system', '-f', ciliumValuesFile()]);
  await run(kubectl, ['--kubeconfig', kubeconfig, 'apply', '--server-side', '-f', '-'], { input: manifests });
}

function ciliumValuesFile(): string {
  return assetPath('cilium', 'values.yaml');
}
