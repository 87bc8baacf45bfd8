import { agnhost } from '../../harness/workloads.ts';
import { openForWantOfPolicies } from '../presumption.ts';
import type { Scene } from '../scene.ts';
import { closedFor, deployment, expectationOf, judged, onNode, workload } from '../situations.ts';
import type { Family } from '../trap.ts';

const deny = (from: object, app: string, port = 8080): object =>
  expectationOf('Deny', from, { ...deployment(app), port });
const admitting = (labels: Readonly<Record<string, string>>): object => ({ podSelector: { matchLabels: labels } });
const passed = 'Passed Denied';
const leaks = 'Failed UnexpectedlyReachable';
const hostPort = 18_080;

/** Probe pods that policies would treat unlike the source that they stand for. */
export const identity: Family = {
  name: 'identity',
  build: async (scene) => {
    const { namespace, workers } = scene;
    await scene.apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'trusted', namespace } },
      workload(namespace, 'client'),
      workload(namespace, 'helmed', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }),
      workload(namespace, 'relabelled'),
      workload(namespace, 'a-plain', { labels: { group: 'mixed' } }),
      workload(namespace, 'z-admin', { labels: { group: 'mixed', role: 'admin' } }),
      workload(namespace, 'trusted', { pod: { serviceAccountName: 'trusted' } }),
      workload(namespace, 'hosty', { port: hostPort, pod: { hostNetwork: true, ...onNode(workers[0]) } }),
      workload(namespace, 'searching', {
        pod: { dnsConfig: { searches: ['kube-system.svc.cluster.local'] } },
      }),
      workload(namespace, 'owned'),
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'stranger', namespace, labels: { app: 'owned' } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'server', image: agnhost, args: ['pause'] }],
        },
      },
      workload(namespace, 'for-helm'),
      closedFor(namespace, 'for-helm', [admitting({ 'app.kubernetes.io/managed-by': 'Helm' })]),
      workload(namespace, 'for-admins'),
      closedFor(namespace, 'for-admins', [admitting({ role: 'admin' })]),
      workload(namespace, 'for-trusted'),
      closedButForTrusted(scene),
    );
    await scene.ready('client', 'helmed', 'relabelled', 'a-plain', 'z-admin', 'trusted', 'hosty', 'searching', 'owned');
    await scene.ready('for-helm', 'for-admins', 'for-trusted');
    await scene.kubectl(`label pod -n ${namespace} -l app=relabelled role=admin`);
    await scene.onNode(workers[0], 'iptables', '-w', '-I', ...firewall);
  },
  clear: async (scene) => {
    await scene.onNode(scene.workers[0], 'iptables', '-w', '-D', ...firewall);
  },
  elsewhere: { ptp: openForWantOfPolicies },
  traps: [
    {
      name: 'a policy admits by a label that no probe pod may wear',
      guard: { file: 'src/plan/plan.ts', search: 'if (missing.length > 0) {', replace: 'if (missing.length < 0) {' },
      right: 'Inconclusive IdentityNotReproducible',
      wrong: passed,
      elsewhere: { ptp: { right: 'Inconclusive IdentityNotReproducible' } },
      spring: judged([deny(deployment('helmed'), 'for-helm')]),
    },
    {
      name: 'live pods wear a label that their template lacks',
      guard: {
        file: 'src/plan/identity.ts',
        search: 'const template = wearers.length > 0 ? undefined : templateReferred(from, scope, view);',
        replace: `const template = templateReferred(from, scope, view);
    if (template !== undefined) return [{ namespace: scope.namespace, ...template }];`,
      },
      right: leaks,
      wrong: passed,
      spring: judged([deny(deployment('relabelled'), 'for-admins')]),
    },
    {
      name: 'one pod of the source is admitted',
      guard: {
        file: 'src/plan/identity.ts',
        search: 'for (const { namespace, labels, spec, pod } of policed) {',
        replace: 'for (const { namespace, labels, spec, pod } of policed.slice(0, 1)) {',
      },
      right: leaks,
      wrong: passed,
      spring: judged([deny({ pods: { matchLabels: { group: 'mixed' } } }, 'for-admins')]),
    },
    {
      name: "a policy admits the source's service account",
      guard: {
        file: 'src/runner/manifest.ts',
        search:
          '...(identity.serviceAccountName === undefined ? {} : { serviceAccountName: identity.serviceAccountName }),',
        replace: '',
      },
      right: leaks,
      wrong: passed,
      spring: judged([deny(deployment('trusted'), 'for-trusted')]),
    },
    {
      name: 'the source is on the host network',
      guard: {
        file: 'src/plan/identity.ts',
        search: 'found.filter(({ spec }) => spec.hostNetwork !== true)',
        replace: 'found',
      },
      right: 'Inconclusive SourceNotSupported',
      wrong: passed,
      elsewhere: { ptp: { right: 'Inconclusive SourceNotSupported' } },
      spring: judged([deny(deployment('hosty'), 'for-admins')]),
    },
    {
      name: 'a firewall closes a target on the host network',
      guard: {
        file: 'src/plan/target.ts',
        search: "if (expectation.expect === 'Deny' && ready.some(usesHostNetwork)) return onHostNetwork(name);",
        replace: '',
      },
      right: 'Inconclusive TargetNotSupported',
      wrong: passed,
      elsewhere: { ptp: { right: 'Inconclusive TargetNotSupported' } },
      spring: judged([deny(deployment('client'), 'hosty', hostPort)]),
    },
    {
      name: "a stranger wears the target's labels",
      guard: {
        file: 'src/plan/referred.ts',
        search: "return controller?.name === `${name}-${pod.metadata.labels?.['pod-template-hash']}`;",
        replace: 'return true;',
      },
      right: 'Passed Reachable',
      wrong: 'Failed NothingListening',
      presumes: 'nothing',
      elsewhere: {},
      spring: judged([expectationOf('Allow', deployment('client'), { ...deployment('owned'), port: 8080 })]),
    },
    {
      name: 'the source has DNS settings of its own',
      guard: {
        file: 'src/plan/identity.ts',
        search: '...(dnsConfig === undefined ? {} : { dnsConfig }),',
        replace: '',
      },
      right: 'Passed Reachable',
      wrong: 'Failed NameNotResolved',
      presumes: 'nothing',
      elsewhere: {},
      spring: judged([expectationOf('Allow', deployment('searching'), { host: 'kube-dns', port: 53 })]),
    },
  ],
};

/** Only Cilium's policies know service accounts. */
function closedButForTrusted({ namespace, cluster: { cni } }: Scene): object {
  if (cni.startsWith('ptp')) return closedFor(namespace, 'for-trusted');
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: 'close-for-trusted', namespace },
    spec: {
      endpointSelector: { matchLabels: { app: 'for-trusted' } },
      ingress: [{ fromEndpoints: [{ matchLabels: { 'io.cilium.k8s.policy.serviceaccount': 'trusted' } }] }],
    },
  };
}

/** Keeps everybody but the node itself from the server on its host network. */
const firewall = ['INPUT', '!', '-i', 'lo', '-p', 'tcp', '--dport', String(hostPort), '-j', 'DROP'] as const;

/** A namespace in which a policy tells probe pods from the application's. */
export const singledOut: Family = {
  name: 'singled-out',
  build: async (scene) => {
    const { namespace } = scene;
    const others = { matchExpressions: [{ key: 'postern.dev/component', operator: 'DoesNotExist' }] };
    await scene.apply(
      workload(namespace, 'client'),
      workload(namespace, 'target'),
      closedFor(namespace, 'target', [{ podSelector: others }]),
    );
    await scene.ready('client', 'target');
  },
  traps: [
    {
      name: 'a policy keeps out nobody but probe pods',
      guard: {
        file: 'src/plan/plan.ts',
        search: 'if (namedKeys.has(probeLabel.key)) {',
        replace: 'if (namedKeys.has(probeLabel.value)) {',
      },
      right: 'Inconclusive IdentityNotReproducible',
      wrong: passed,
      elsewhere: { ptp: { right: 'Inconclusive IdentityNotReproducible' } },
      spring: judged([deny(deployment('client'), 'target')]),
    },
  ],
};
