import type { PodSpec } from '../api/index.ts';
import type { Identity } from './identity.ts';

/** Where pods stand that wear nobody's identity: the operator's namespace, on nodes that take the operator itself. */
export interface OwnPlace {
  readonly namespace: string;
  readonly operator?: Pick<PodSpec, 'nodeSelector' | 'tolerations' | 'imagePullSecrets'>;
}

/** An identity of Postern's own, by its labels alone. */
export function ownIdentity(
  key: string,
  labels: Readonly<Record<string, string>>,
  { namespace, operator = {} }: OwnPlace,
): Identity {
  const { nodeSelector, tolerations, imagePullSecrets } = operator;
  return {
    key,
    namespace,
    labels,
    droppedLabels: [],
    pod: {
      ...(nodeSelector === undefined ? {} : { nodeSelector }),
      ...(tolerations === undefined ? {} : { tolerations }),
      ...(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
    },
  };
}
