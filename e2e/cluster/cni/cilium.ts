import { readFileSync } from 'node:fs';
import path from 'node:path';

import { run } from '../command.ts';
import { moduleSource } from '../toolchain.ts';
import { images, versions } from '../versions.ts';
import { assetPath } from '../workspace.ts';
import type { Cni, CniTarget } from './cni.ts';
import { installPlugin, pluginOf } from './plugin.ts';

const common = {
  images: [images.cilium, images.ciliumOperator],
  workers: 2,
  workloads: ['daemonset/cilium'],
} as const;
const usualValues = 'cilium-values.yaml';
const rejectingValues = 'cilium-rejecting-values.yaml';
const dualValues = 'cilium-dual-values.yaml';
const plugin = pluginOf('software-checksums');

/** The chart's values. */
export function ciliumValues(): string {
  return read(usualValues);
}

/** What is added to them where there are two families of addresses. */
export function ciliumDualValues(): string {
  return read(dualValues);
}

/** Cilium from the chart in its Go module, which go.sum checksums. It drops what it denies. */
export const cilium: Cni = {
  ...common,
  title: 'Cilium',
  configuration: () => [versions.cilium, ciliumValues()].join('\n'),
  install: (target) => applyChart(target, [usualValues]),
};

/**
 * Cilium that answers denied egress with ICMP. The error that it makes of a TCP packet is cut off within the TCP header, and
 * Linux discards a packet whose checksum is still to be filled in beyond its end (`pskb_trim_rcsum`): such an answer reaches
 * only pods that have their checksums computed before Cilium sees the packet. A chained plugin sees to that.
 */
export const ciliumRejecting: Cni = {
  ...common,
  title: 'Cilium that rejects',
  configuration: () => [cilium.configuration(), read(rejectingValues), plugin.script, chain()].join('\n'),
  install: async (target) => {
    await installPlugin(target, plugin);
    await apply(target, configMap());
    await applyChart(target, [usualValues, rejectingValues]);
  },
};

/** Cilium for IPv4 and IPv6. */
export const ciliumDual: Cni = {
  ...common,
  title: 'Cilium for both families',
  isDualStack: true,
  configuration: () => [cilium.configuration(), ciliumDualValues()].join('\n'),
  install: (target) => applyChart(target, [usualValues, dualValues]),
};

async function applyChart(target: CniTarget, values: readonly string[]): Promise<void> {
  const source = await moduleSource('cilium', 'github.com/cilium/cilium');
  const chart = path.join(source, 'install', 'kubernetes', 'cilium');
  const files = values.flatMap((name) => ['-f', assetPath('cni', name)]);
  await apply(target, await run(target.helm, ['template', 'cilium', chart, '-n', 'kube-system', ...files]));
}

async function apply({ kubectl, kubeconfig }: CniTarget, manifests: string): Promise<void> {
  await run(kubectl, ['--kubeconfig', kubeconfig, 'apply', '--server-side', '-f', '-'], { input: manifests });
}

/** What the chart's `cni.configMap` names. */
function configMap(): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cni-software-checksums', namespace: 'kube-system' },
    data: { 'cni-config': chain() },
  });
}

function chain(): string {
  const plugins = [{ type: 'cilium-cni' }, { type: plugin.type }];
  return JSON.stringify({ cniVersion: '1.0.0', name: 'cilium', plugins });
}

function read(name: string): string {
  return readFileSync(assetPath('cni', name), 'utf8');
}
