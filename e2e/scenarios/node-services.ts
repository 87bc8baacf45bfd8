import { run } from '../cluster/command.ts';
import { images } from '../cluster/versions.ts';
import type { Kubectl } from '../harness/kubectl.ts';
import { agnhost, manifests, namespace } from '../harness/workloads.ts';
import type { Undo } from './undo.ts';

/** The namespace of what stands in for services that run on every node. */
export const standInNamespace = 'postern-e2e-stand-ins';

interface NodeService {
  readonly name: string;
  /** An address that each node gets on its loopback interface. */
  readonly address: string;
  readonly container: object;
  readonly volumes?: readonly object[];
  readonly configuration?: Readonly<Record<string, string>>;
}

/** The metadata service of a cloud: something that answers on its address. */
export function metadataService(): NodeService {
  return {
    name: 'metadata-service',
    address: '169.254.169.254',
    container: {
      image: agnhost,
      args: ['netexec', '--http-port=80', '--udp-port=8480'],
      readinessProbe: { httpGet: { host: '169.254.169.254', path: '/healthz', port: 80 }, periodSeconds: 1 },
    },
  };
}

/** NodeLocal DNSCache, on its usual address. */
export function nodeLocalDNS(nameServer: string): NodeService {
  const address = '169.254.20.10';
  return {
    name: 'node-local-dns',
    address,
    configuration: { Corefile: `.:53 {\n  bind ${address}\n  ready ${address}:8181\n  forward . ${nameServer}\n}\n` },
    volumes: [{ name: 'configuration', configMap: { name: 'node-local-dns' } }],
    container: {
      image: images.coredns,
      args: ['-conf', '/etc/coredns/Corefile'],
      volumeMounts: [{ name: 'configuration', mountPath: '/etc/coredns' }],
      readinessProbe: { httpGet: { host: address, path: '/ready', port: 8181 }, periodSeconds: 1 },
    },
  };
}

/** Runs a service on every node, at an address that only the node itself has. */
export async function installNodeService(
  kubectl: Kubectl,
  nodes: readonly string[],
  { name, address, container, volumes = [], configuration = {} }: NodeService,
  undo: Undo,
): Promise<void> {
  for (const node of nodes) {
    const onLoopback = (verb: 'replace' | 'delete') =>
      run('docker', ['exec', node, 'ip', 'address', verb, `${address}/32`, 'dev', 'lo']);
    await onLoopback('replace');
    undo(async () => {
      await onLoopback('delete');
    });
  }
  const labels = { app: name };
  const metadata = { name, namespace: standInNamespace };
  const pod = {
    hostNetwork: true,
    terminationGracePeriodSeconds: 1,
    tolerations: [{ operator: 'Exists' }],
    containers: [{ name: 'server', ...container }],
    volumes,
  };
  undo(async () => {
    await kubectl(`delete daemonset/${name} configmap/${name} -n ${standInNamespace} --ignore-not-found --wait`);
  });
  await kubectl('apply -f -', {
    input: manifests(
      namespace(standInNamespace, { 'pod-security.kubernetes.io/enforce': 'privileged' }),
      { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: configuration },
      {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata,
        spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
      },
    ),
  });
  await kubectl(`rollout status daemonset/${name} -n ${standInNamespace} --timeout=120s`);
}
