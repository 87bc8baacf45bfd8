import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { binaries, moduleDirectory, newestOf } from './toolchain.ts';
import { images, versions } from './versions.ts';

const goModule = (module: string): string => readFileSync(path.join(moduleDirectory(module), 'go.mod'), 'utf8');

describe('versions.ts', () => {
  it.each([
    ['kubernetes', 'k8s.io/kubernetes', versions.kubernetes],
    ['cilium', 'github.com/cilium/cilium', versions.cilium],
    ['kind', 'sigs.k8s.io/kind', versions.kind],
    ['helm', 'helm.sh/helm/v4', versions.helm],
    ['containerd', 'github.com/containerd/containerd/v2', versions.containerd],
    ['cni', 'github.com/containernetworking/plugins', versions.cniPlugins],
    ['etcd', 'go.etcd.io/etcd/server/v3', versions.etcd],
    ['coredns', 'github.com/coredns/coredns', versions.coredns],
    ['prometheus', 'github.com/prometheus/prometheus', versions.prometheus],
    ['registry', 'github.com/distribution/distribution/v3', versions.registry],
  ])('agrees with toolchain/%s/go.mod', (module, dependency, version) => {
    const required = goModule(module)
      .split('\n')
      .map((line) =>
        line
          .replace(/^require /, '')
          .trim()
          .split(' '),
      )
      .find(([name]) => name === dependency);
    expect(required?.[1]).toBe(version);
  });

  it('replaces the staging modules of Kubernetes by those of the same release', () => {
    const replacements = [...goModule('kubernetes').matchAll(/^\tk8s\.io\/\S+ => k8s\.io\/\S+ (\S+)$/gm)];
    expect(replacements.length).toBeGreaterThan(20);
    expect(new Set(replacements.map(([, version]) => version))).toEqual(
      new Set([versions.kubernetes.replace(/^v1/, 'v0')]),
    );
  });

  it('pins every image to a tag', () => {
    for (const image of Object.values(images)) expect(image).toMatch(/^[\w./-]+:[\w.-]+$/);
    expect(Object.values(images).filter((image) => image.endsWith(':latest'))).toEqual([]);
  });
});

describe('binaries', () => {
  it('have one name each, and a module that is pinned', () => {
    expect(new Set(binaries.map((binary) => binary.name)).size).toBe(binaries.length);
    for (const binary of binaries) expect(goModule(binary.module)).toContain('\ngo 1.');
  });
});

describe('newestOf', () => {
  it('compares numbers, not text', () => {
    expect(newestOf(['1.26.6', '1.26.10', '1.9.9'])).toBe('1.26.10');
    expect(newestOf([])).toBe('0');
  });
});
