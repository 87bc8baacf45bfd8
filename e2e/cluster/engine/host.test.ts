import { describe, expect, it } from 'vitest';

import { hasCapability, remedyFor } from './host.ts';

describe('remedyFor', () => {
  const answer = 'Cannot connect to the Docker daemon';

  it('installs and starts on Debian, as root', () => {
    expect(remedyFor({ isRoot: true, isDebian: true, hasDaemon: false }, answer)).toEqual({ kind: 'install' });
    expect(remedyFor({ isRoot: true, isDebian: true, hasDaemon: true }, answer)).toEqual({ kind: 'start' });
  });

  it('says what to install elsewhere', () => {
    const onDebian = remedyFor({ isRoot: false, isDebian: true, hasDaemon: false }, answer);
    expect(onDebian).toMatchObject({ kind: 'explain', text: expect.stringContaining('apt-get install docker.io') });
    const onMac = remedyFor({ isRoot: false, isDebian: false, hasDaemon: false }, answer);
    expect(onMac).toMatchObject({ kind: 'explain', text: expect.stringContaining('Docker Desktop') });
    expect(onMac).toMatchObject({ text: expect.stringContaining(answer) });
  });
});

describe('hasCapability', () => {
  it('reads the bounding set', () => {
    expect(hasCapability('CapEff:\t0\nCapBnd:\t000001fffeffffff\n', 24n)).toBe(false);
    expect(hasCapability('CapEff:\t0\nCapBnd:\t000001ffffffffff\n', 24n)).toBe(true);
    expect(hasCapability('', 24n)).toBe(true);
  });
});
