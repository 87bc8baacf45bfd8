import { describe, expect, it } from 'vitest';

import { bridgeNameFor, clusterNameFor, openWorkspace } from './workspace.ts';

describe('names', () => {
  it('are the same for the same clone and others for another', () => {
    expect(clusterNameFor('/home/one/postern')).toBe(clusterNameFor('/home/one/postern'));
    expect(clusterNameFor('/home/one/postern')).not.toBe(clusterNameFor('/home/two/postern'));
    expect(clusterNameFor('/home/one/postern')).toMatch(/^postern-[0-9a-f]{6}$/);
  });

  it('fit into a network interface', () => {
    const names = ['a', 'postern-pulled', 'a'.repeat(80)].map(bridgeNameFor);
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(15);
  });

  it('can be chosen', () => {
    const workspace = openWorkspace({ POSTERN_CLUSTER: 'mine', XDG_CACHE_HOME: '/tmp/cache' });
    expect(workspace).toMatchObject({ clusterName: 'mine', cni: 'cilium', cache: '/tmp/cache/postern' });
  });

  it('keep clusters with different network plugins apart', () => {
    const usual = openWorkspace({});
    const other = openWorkspace({ POSTERN_CNI: 'ptp' });
    expect(other).toMatchObject({ clusterName: `${usual.clusterName}-ptp`, cni: 'ptp' });
    expect(openWorkspace({ POSTERN_CNI: 'cilium' }).clusterName).toBe(usual.clusterName);
    expect(() => openWorkspace({ POSTERN_CNI: 'bridge' })).toThrow(
      'choose one of cilium, cilium-rejecting, cilium-dual, ptp, ptp-refusing, ptp-half',
    );
  });
});
