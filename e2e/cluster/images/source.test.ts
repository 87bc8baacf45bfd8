import { describe, expect, it } from 'vitest';

import { chooseSource, fullName, isRegistryAnswer, pulledName, requestedSource } from './source.ts';

describe('requestedSource', () => {
  it('reads the environment', () => {
    expect(requestedSource({})).toBeUndefined();
    expect(requestedSource({ POSTERN_IMAGE_SOURCE: 'local' })).toBe('local');
    expect(requestedSource({ POSTERN_IMAGE_SOURCE: 'registry' })).toBe('registry');
    expect(() => requestedSource({ POSTERN_IMAGE_SOURCE: 'docker' })).toThrow('registry or local');
  });
});

describe('chooseSource', () => {
  it('prefers what is asked for, then what is there, then what answers', () => {
    expect(chooseSource('registry', 'local', false)).toBe('registry');
    expect(chooseSource(undefined, 'local', true)).toBe('local');
    expect(chooseSource(undefined, undefined, true)).toBe('registry');
    expect(chooseSource(undefined, undefined, false)).toBe('local');
  });
});

describe('isRegistryAnswer', () => {
  it.each([
    [200, false, true],
    [401, true, true],
    [401, false, false],
    [403, true, false],
    [302, false, false],
  ])('judges %i (names its version: %s) as %s', (status, namesItsVersion, expected) => {
    expect(isRegistryAnswer(status, namesItsVersion)).toBe(expected);
  });
});

describe('names', () => {
  it.each([
    ['debian:bookworm-slim', 'mirror:5000/library/debian:bookworm-slim', 'docker.io/library/debian:bookworm-slim'],
    ['kindest/node:v1', 'mirror:5000/kindest/node:v1', 'docker.io/kindest/node:v1'],
    ['quay.io/cilium/cilium:v1', 'mirror:5000/cilium/cilium:v1', 'quay.io/cilium/cilium:v1'],
    ['localhost/thing:1', 'mirror:5000/thing:1', 'localhost/thing:1'],
  ])('of %s on a mirror and on a node', (image, mirrored, full) => {
    expect(pulledName(image, 'mirror:5000')).toBe(mirrored);
    expect(pulledName(image, undefined)).toBe(image);
    expect(fullName(image)).toBe(full);
  });
});
