import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeClock } from '../testing/index.ts';
import { Connections } from './connections.ts';
import { connectionIdentity, inClusterCredentials, kubeconfigCredentials, type Access } from './credentials.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-credentials-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('inClusterCredentials', () => {
  const inCluster = (): Parameters<typeof inClusterCredentials>[0] => ({
    host: '10.96.0.1',
    port: '443',
    serviceAccountDirectory: directory,
  });

  async function write(token: string, ca: string): Promise<void> {
    await writeFile(join(directory, 'token'), token);
    await writeFile(join(directory, 'ca.crt'), ca);
  }

  it('gives the token and the certificate authority of the service account', async () => {
    await write('first\n', 'authority');

    expect(await inClusterCredentials(inCluster(), new FakeClock())()).toEqual({
      server: 'https://10.96.0.1:443',
      headers: { authorization: 'Bearer first' },
      tls: { ca: Buffer.from('authority') },
    });
  });

  it('reads both again after a minute, because they rotate', async () => {
    const clock = new FakeClock();
    const credentials = inClusterCredentials(inCluster(), clock);
    await write('first', 'authority');
    await credentials();
    await write('second', 'new authority');

    await clock.advance(59_000);
    const early = await credentials();
    await clock.advance(1_000);
    const late = await credentials();

    expect(early.headers).toEqual({ authorization: 'Bearer first' });
    expect(late).toMatchObject({
      headers: { authorization: 'Bearer second' },
      tls: { ca: Buffer.from('new authority') },
    });
  });

  it('puts an IPv6 address in brackets', async () => {
    await write('token', 'authority');

    const { server } = await inClusterCredentials({ ...inCluster(), host: 'fd00::1' }, new FakeClock())();

    expect(server).toBe('https://[fd00::1]:443');
  });

  it('fails as Credentials outside of a pod', async () => {
    const credentials = inClusterCredentials({ ...inCluster(), serviceAccountDirectory: '/nowhere' }, new FakeClock());

    await expect(credentials()).rejects.toMatchObject({ code: 'Credentials', retryable: true });
  });
});

describe('kubeconfigCredentials', () => {
  async function kubeconfig(user: object, cluster: object = {}): Promise<string> {
    const path = join(directory, 'kubeconfig');
    const config = {
      'current-context': 'one',
      contexts: [
        { name: 'one', context: { cluster: 'c', user: 'u' } },
        { name: 'broken', context: { cluster: 'nobody', user: 'u' } },
      ],
      clusters: [{ name: 'c', cluster: { server: 'https://api.example.com/prefix/', ...cluster } }],
      users: [{ name: 'u', user }],
    };
    await writeFile(path, JSON.stringify(config));
    return path;
  }
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  it.each<{ scenario: string; user: object; want: string | undefined }>([
    { scenario: 'a token', user: { token: 'secret' }, want: 'Bearer secret' },
    {
      scenario: 'a name and a password',
      user: { username: 'me', password: 'secret' },
      want: `Basic ${base64('me:secret')}`,
    },
    { scenario: 'nothing', user: {}, want: undefined },
  ])('authorizes by $scenario', async ({ user, want }) => {
    const access = await kubeconfigCredentials({ path: await kubeconfig(user) })();

    expect(access.server).toBe('https://api.example.com/prefix');
    expect(access.headers['authorization']).toBe(want);
  });

  it('gives what TLS needs', async () => {
    const user = { 'client-certificate-data': base64('certificate'), 'client-key-data': base64('key') };
    const cluster = { 'certificate-authority-data': base64('authority'), 'tls-server-name': 'kubernetes' };

    const { tls } = await kubeconfigCredentials({ path: await kubeconfig(user, cluster) })();

    expect(tls).toEqual({
      ca: Buffer.from('authority'),
      cert: Buffer.from('certificate'),
      key: Buffer.from('key'),
      servername: 'kubernetes',
    });
  });

  it('says which context has no cluster', async () => {
    const credentials = kubeconfigCredentials({ path: await kubeconfig({}), context: 'broken' });

    await expect(credentials()).rejects.toThrow('The kubeconfig has no cluster for the context "broken"');
  });

  it('says which file is missing', async () => {
    const credentials = kubeconfigCredentials({ path: '/nowhere/kubeconfig' });

    await expect(credentials()).rejects.toThrow(/failed: ENOENT.*'\/nowhere\/kubeconfig'/);
  });

  it('does not quote a kubeconfig that it cannot parse', async () => {
    const path = join(directory, 'kubeconfig');
    await writeFile(path, 'users: [{token: secret');
    const failure: unknown = await kubeconfigCredentials({ path })().catch((e: unknown) => e);

    expect(failure).toMatchObject({ code: 'Credentials' });
    expect(failure).not.toHaveProperty('cause');
    expect(String(failure)).not.toContain('secret');
  });

  it('fails as Credentials without saying what a plugin said', async () => {
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'sh',
      args: ['-c', 'echo secret >&2; exit 1'],
    };
    const failure: unknown = await kubeconfigCredentials({ path: await kubeconfig({ exec }) })().catch(
      (e: unknown) => e,
    );

    expect(failure).toMatchObject({ code: 'Credentials', message: 'Reading the credentials of the kubeconfig failed' });
  });
});

describe('connections', () => {
  const access: Access = { server: 'https://10.96.0.1:443', headers: { authorization: 'Bearer 1' }, tls: { ca: 'a' } };

  it.each<{ scenario: string; other: Access; wantSame: boolean }>([
    {
      scenario: 'kept when the token rotates',
      other: { ...access, headers: { authorization: 'Bearer 2' } },
      wantSame: true,
    },
    { scenario: 'made anew for another authority', other: { ...access, tls: { ca: 'b' } }, wantSame: false },
    {
      scenario: 'made anew for another certificate',
      other: { ...access, tls: { ca: 'a', cert: 'c' } },
      wantSame: false,
    },
    { scenario: 'made anew for another server', other: { ...access, server: 'https://10.96.0.2' }, wantSame: false },
    { scenario: 'made anew for another proxy', other: { ...access, proxyUrl: 'http://proxy:3128' }, wantSame: false },
    { scenario: 'made anew for a SOCKS proxy', other: { ...access, proxyUrl: 'socks5://proxy:1080' }, wantSame: false },
  ])('are $scenario', async ({ other, wantSame }) => {
    const connections = new Connections(1_000);

    const first = connections.poolsFor(access);
    const second = connections.poolsFor(other);
    await connections.close();

    expect(second === first).toBe(wantSame);
    expect(connectionIdentity(other) === connectionIdentity(access)).toBe(wantSame);
  });

  it('separate watches from requests', async () => {
    const connections = new Connections(1_000);

    const { requests, watches } = connections.poolsFor(access);
    await connections.close();

    expect(requests).not.toBe(watches);
    expect(() => connections.poolsFor(access)).toThrow('The client is closed');
  });
});
