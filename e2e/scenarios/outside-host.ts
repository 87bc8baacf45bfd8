import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { GenericContainer, Wait } from 'testcontainers';
import { attempt, run } from '../cluster/command.ts';
import type { Cluster } from '../cluster/index.ts';
import { ownerLabel } from '../cluster/network.ts';
import { images } from '../cluster/versions.ts';
import { waitFor } from '../harness/wait.ts';
import type { Undo } from './undo.ts';

/** The addresses that the examples presume outside of the cluster. HTTP is on 8080, HTTPS on 443 of each. */
export const outsideAddresses = {
  partner: '192.168.1.20',
  other: '192.168.1.10',
  network: '10.20.0.10',
  payments: '10.20.99.10',
} as const;

const certificateFolder = '/etc/outside';

/** Starts one host with all of those addresses beside the cluster's nodes, and routes to it on them. */
export async function installOutsideHost(cluster: Cluster, nodes: readonly string[], undo: Undo): Promise<void> {
  // testcontainers' own reaper is an image that cannot be had everywhere; `cluster:down` removes what carries the label.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const addresses = Object.values(outsideAddresses);
  const container = await new GenericContainer(images.agnhost)
    .withCommand(['netexec', '--http-port=8080'])
    .withNetworkMode(cluster.dockerNetwork)
    .withLabels({ [ownerLabel]: cluster.name })
    .withAddedCapabilities('NET_ADMIN')
    .withCopyContentToContainer(selfSigned())
    .withExposedPorts(8080)
    .withWaitStrategy(Wait.forHttp('/', 8080))
    .start();
  undo(async () => {
    await container.stop();
  });
  const inContainer = (...words: readonly string[]) => run('docker', ['exec', container.getId(), ...words]);
  for (const address of addresses) await inContainer('ip', 'address', 'replace', `${address}/32`, 'dev', 'lo');
  await run('docker', [
    'exec',
    '--detach',
    container.getId(),
    '/agnhost',
    'netexec',
    '--http-port=443',
    '--udp-port=8443',
    ...certificateFlags(),
  ]);
  const router = container.getIpAddress(cluster.dockerNetwork);
  for (const node of nodes) {
    for (const address of addresses) {
      await run('docker', ['exec', node, 'ip', 'route', 'replace', `${address}/32`, 'via', router]);
      undo(async () => {
        await run('docker', ['exec', node, 'ip', 'route', 'delete', `${address}/32`]);
      });
    }
  }
  const [node = ''] = nodes;
  await waitFor(
    async () => {
      const url = `https://${outsideAddresses.partner}/healthz`;
      return (await attempt('docker', ['exec', node, 'curl', '--silent', '--insecure', '--fail', url])).code === 0;
    },
    { what: 'the outside host to speak HTTPS', timeoutMs: 20_000 },
  );
}

function certificateFlags(): readonly string[] {
  return [`--tls-cert-file=${certificateFolder}/tls.crt`, `--tls-private-key-file=${certificateFolder}/tls.key`];
}

/** A key and a certificate of its own making: nobody verifies it. */
function selfSigned(): { content: Buffer; target: string }[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-outside-'));
  try {
    const [key, certificate] = [path.join(folder, 'tls.key'), path.join(folder, 'tls.crt')];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=partner.example'];
    execFileSync('openssl', [...request, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    return [key, certificate].map((file) => ({
      content: readFileSync(file),
      target: `${certificateFolder}/${path.basename(file)}`,
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
