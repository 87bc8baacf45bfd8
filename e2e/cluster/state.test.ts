import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  type ClusterRecord,
  abandonedRecords,
  configurationHashOf,
  decide,
  readAllRecords,
  readRecord,
  removeRecord,
  writeRecord,
} from './state.ts';
import { openWorkspace } from './workspace.ts';

const record: ClusterRecord = {
  name: 'postern-1',
  repository: '/clones/one',
  phase: 'ready',
  configurationHash: 'hash',
  nodeCount: 2,
  isSealed: true,
  imageSource: 'local',
  kubeconfig: '/cache/postern-1.kubeconfig',
  tools: { kind: 'kind', kubectl: 'kubectl', helm: 'helm', promtool: 'promtool' },
  images: { base: 'base', nodeRuntime: 'runtime' },
};

const running = ['control-plane', 'worker'].map((name) => ({ name, isRunning: true }));

describe('decide', () => {
  it('reuses a cluster that is as it should be', () => {
    expect(decide(record, running, 'hash')).toEqual({ action: 'reuse' });
  });

  it('creates one where none is, whatever is remembered', () => {
    expect(decide(undefined, [], 'hash')).toEqual({ action: 'create' });
    expect(decide(record, [], 'hash')).toEqual({ action: 'create' });
    expect(decide({ ...record, phase: 'creating' }, [], 'hash')).toEqual({ action: 'create' });
  });

  it.each([
    ['an unknown one', undefined, running, 'hash', /nothing is known/],
    ['one that is half made', { ...record, phase: 'creating' as const }, running, 'hash', /interrupted/],
    ['one of another configuration', record, running, 'other', /configuration/],
    [
      'one with a stopped node',
      record,
      [{ name: 'control-plane', isRunning: false }, ...running.slice(1)],
      'hash',
      /stopped: control-plane/,
    ],
    ['one that lost a node', record, running.slice(1), 'hash', /1 of 2/],
  ])('makes %s anew', (_, known, containers, hash, reason) => {
    expect(decide(known, containers, hash)).toEqual({ action: 'recreate', reason: expect.stringMatching(reason) });
  });
});

describe('configurationHashOf', () => {
  const configuration = {
    nodeImage: 'node:1',
    kind: 'nodes: 3',
    cni: 'v1',
    imageSource: 'local' as const,
  };

  it.each(['nodeImage', 'kind', 'cni', 'imageSource'] as const)('covers %s', (part) => {
    const changed = { ...configuration, [part]: 'registry' };
    expect(configurationHashOf(changed)).not.toBe(configurationHashOf(configuration));
    expect(configurationHashOf({ ...configuration })).toBe(configurationHashOf(configuration));
  });
});

describe('abandonedRecords', () => {
  it('finds the clusters of clones that are gone', () => {
    const gone = { ...record, repository: '/clones/gone' };
    expect(abandonedRecords([record, gone], (repository) => repository === '/clones/one')).toEqual([gone]);
  });
});

describe('records', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'postern-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are read as they were written, until they are removed', () => {
    const workspace = openWorkspace({ XDG_CACHE_HOME: folder });
    expect(readAllRecords(workspace)).toEqual([]);
    writeRecord(workspace, record);
    writeRecord(workspace, { ...record, name: 'postern-2' });
    expect(readRecord(workspace, 'postern-1')).toEqual(record);
    expect(readAllRecords(workspace).map(({ name }) => name)).toEqual(['postern-1', 'postern-2']);
    removeRecord(workspace, 'postern-1');
    expect(readRecord(workspace, 'postern-1')).toBeUndefined();
  });

  it('of another shape count as none', () => {
    const workspace = openWorkspace({ XDG_CACHE_HOME: folder });
    writeRecord(workspace, record);
    writeFileSync(path.join(workspace.cache, 'clusters', 'postern-1.json'), '{"name":"postern-1"}');
    expect(readRecord(workspace, 'postern-1')).toBeUndefined();
  });
});
