import { addressOf, blockContains, blockOf } from '../address/index.ts';
import { namespaceNameLabel } from '../policy/index.ts';
import type { Suspicion } from './admit.ts';
import { change, peerFor } from './draft.ts';
import { objectInWords, valueAt } from './edit.ts';
import { added } from './port-remedy.ts';
import { writtenPolicy } from './remedy.ts';
import type { Scene } from './scene.ts';

const dnsPort = 53;
const systemNamespace = 'kube-system';
const resolverLabels = { 'k8s-app': 'kube-dns' };

/** Whether the question is one for a name: to the cluster's resolver, or on its port. */
function isForNames({ question, sides }: Scene): boolean {
  const { labels, namespace } = sides.destination;
  return (
    question.port === dnsPort || (namespace === systemNamespace && labels['k8s-app'] === resolverLabels['k8s-app'])
  );
}

const linkLocal = ['169.254.0.0/16', 'fe80::/10', 'fd00::/8'].flatMap((text) => blockOf(text) ?? []);

/** A resolver on the pod's own node, such as NodeLocal DNSCache (169.254.20.10): an address, not a pod with labels. */
function isNodeLocal({ sides, question }: Scene): boolean {
  const { destination } = sides;
  if (question.destination.kind === 'node' || destination.hostNetwork) return true;
  const address = addressOf(destination.address ?? '');
  return address !== undefined && linkLocal.some((block) => blockContains(block, address));
}

/** What is wrong with egress to a resolver. */
export function dnsSuspicions(scene: Scene): readonly Suspicion[] {
  const { question, decision } = scene;
  if (!isForNames(scene) || decision.egress.answer === 'allow') return [];
  const examined = scene.model
    .examine(question, 'egress')
    .filter(({ selects, section }) => selects === 'yes' && section.policy.group === 'networking.k8s.io');
  const rules = examined.flatMap(({ section, rules }) => rules.map((rule) => ({ policy: section.policy, rule })));
  if (isNodeLocal(scene)) {
    const opening = rules.filter(({ policy, rule }) => {
      const text = JSON.stringify(valueAt(writtenPolicy(scene, policy), rule.rule.path)) ?? '';
      return rule.rule.peers !== undefined && /kube-dns|"kube-system"/.test(text);
    });
    const own = peerFor(scene.sides.destination, undefined);
    return opening.map(({ policy, rule }): Suspicion => {
      const path = `${rule.rule.path}.to`;
      const before = valueAt(writtenPolicy(scene, policy), path);
      const edits =
        own === undefined || !Array.isArray(before)
          ? []
          : [
              {
                summary: 'admit the resolver on the node by its address',
                changes: [change(policy, path, before, [...(before satisfies unknown[]), own])],
              },
            ];
      return {
        code: 'DNSNodeLocal',
        direction: 'egress',
        part: { policy, path: rule.rule.path },
        message: `${objectInWords(policy)} opens DNS to pods by their labels, and names are asked of ${scene.sides.destination.name}, a resolver on the node, which is no such pod. Admit its address by an ipBlock.`,
        distance: 1,
        edits,
        isForOthers: false,
      };
    });
  }
  if (question.protocol === 'TCP') {
    const datagrams = scene.model
      .examine({ ...question, protocol: 'UDP' }, 'egress')
      .flatMap(({ section, rules, selects }) =>
        selects === 'yes' && section.policy.group === 'networking.k8s.io'
          ? rules.filter(({ matches }) => matches === 'yes').map((rule) => ({ policy: section.policy, rule }))
          : [],
      );
    const found = datagrams.map(({ policy, rule }): Suspicion => ({
      code: 'DNSEgressUDPOnly',
      direction: 'egress',
      part: { policy, path: `${rule.rule.path}.ports` },
      message: `${objectInWords(policy)} opens DNS over UDP alone. An answer that does not fit a datagram is asked for again over TCP. Add { protocol: TCP, port: ${question.port} }.`,
      distance: 1,
      edits: [
        {
          summary: 'open DNS over TCP too',
          changes: added(scene, { policy, rule }, { protocol: 'TCP', port: question.port }),
        },
      ],
      isForOthers: false,
    }));
    if (found.length > 0) return found;
  }
  const [isolating] = examined;
  if (isolating === undefined) return [];
  const { policy } = isolating.section;
  const before = valueAt(writtenPolicy(scene, policy), 'spec.egress');
  const ports = [...new Set([dnsPort, question.port])].flatMap((port) => [
    { protocol: 'UDP', port },
    { protocol: 'TCP', port },
  ]);
  const peer = {
    namespaceSelector: { matchLabels: { [namespaceNameLabel]: systemNamespace } },
    podSelector: { matchLabels: resolverLabels },
  };
  const isConventional = scene.sides.destination.pod !== undefined;
  const to = isConventional ? peer : peerFor(scene.sides.destination, policy.namespace);
  const after = [...(Array.isArray(before) ? (before satisfies unknown[]) : []), { to: [to], ports }];
  return [
    {
      code: 'DNSEgressMissing',
      direction: 'egress',
      part: { policy, path: 'spec.egress' },
      message: `${objectInWords(policy)} restricts egress of ${scene.sides.source.name} and does not open DNS, so that no name resolves. Open UDP and TCP ${dnsPort} to the cluster's resolver.`,
      distance: 1,
      edits: [{ summary: 'open DNS', changes: [change(policy, 'spec.egress', before, after)] }],
      isForOthers: false,
    },
  ];
}
