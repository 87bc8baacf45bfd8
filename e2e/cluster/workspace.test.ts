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
    expect(workspace).toMatchObject({ clusterName: 'mine', cache: '/tmp/cache/postern' });
  });
});
