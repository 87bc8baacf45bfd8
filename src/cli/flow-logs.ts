import type { Explanation } from '../explanation/index.ts';
import type { ProfileName, Question } from '../policy/index.ts';

type Side = Explanation['source'];

/** Labels of manifests that were never applied may be anything; nothing else is put into a command. */
const plain = /^[\w./-]+$/;

/**
 * The command that shows what the network plugin itself saw of a connection; undefined for one that keeps no such record.
 * Hubble's command line asks its relay, and so all nodes (https://docs.cilium.io/en/stable/observability/hubble/); Calico shows flow
 * logs in its web console, Whisker (https://docs.tigera.io/calico/latest/observability/view-flow-logs).
 */
export function flowLogCommand(
  profile: ProfileName | undefined,
  { source, destination }: Pick<Explanation, 'source' | 'destination'>,
  { protocol, port }: Question,
): string | undefined {
  switch (profile) {
    case 'cilium':
      return [
        'hubble observe --follow',
        ...endOf('from', source),
        ...endOf('to', destination),
        `--protocol ${protocol.toLowerCase()} --to-port ${port}`,
      ].join(' ');
    case 'calico':
      return 'kubectl port-forward -n calico-system service/whisker 8081:8081';
    default:
      return undefined;
  }
}

function endOf(side: 'from' | 'to', { namespace, labels, address }: Side): readonly string[] {
  const selector = Object.entries(labels)
    .filter((label) => label.every((text) => plain.test(text)))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  return [
    ...(namespace !== undefined && plain.test(namespace) ? [`--${side}-namespace ${namespace}`] : []),
    ...(selector === '' ? [] : [`--${side}-label ${selector}`]),
    ...(namespace === undefined && address !== undefined && plain.test(address.replaceAll(':', ''))
      ? [`--${side}-ip ${address}`]
      : []),
  ];
}
