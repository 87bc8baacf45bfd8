import { describe, expect, it } from 'vitest';
import { podOf } from '../testing/cluster-view.ts';
import { isLive, isProbePod, isReady } from './view.ts';

describe('a pod', () => {
  it.each([
    ['that works', {}, true, true],
    ['that is not ready yet', { ready: false }, true, false],
    ['that is being deleted', { deleting: true }, false, false],
    ['that has succeeded', { phase: 'Succeeded' }, false, false],
    ['that has failed', { phase: 'Failed' }, false, false],
    ['that probes', { labels: { 'postern.dev/component': 'probe' } }, false, false],
  ])('%s', (_, parts, live, ready) => {
    expect([isLive(podOf('x', parts)), isReady(podOf('x', parts))]).toEqual([live, ready]);
  });

  it('without a status is neither ready nor ended', () => {
    const { status: _, ...pod } = podOf('x');

    expect([isLive(pod), isReady(pod)]).toEqual([true, false]);
  });

  it('of the operator itself is no probe pod', () => {
    expect(isProbePod(podOf('x', { labels: { 'postern.dev/component': 'operator' } }))).toBe(false);
  });
});
