import type { Expectation, Pod, Service } from '../api/index.ts';
import { backendsOf as translate } from '../policy/index.ts';
import { portOf, servicePortOf } from './target.ts';
import type { ClusterView } from './view.ts';

/** Where a connection to a Service may end: policies look at it there, after the Service's translation. */
export interface Backend {
  /** Absent where an EndpointSlice names an address and no pod. */
  readonly pod?: Pod;
  readonly address?: string;
  readonly port: number;
}

/** Every ready endpoint behind the Service port that an expectation asks for; none if the Service has no such port. */
export function backendsOf(service: Service, expectation: Expectation, view: ClusterView): readonly Backend[] {
  const { namespace = '', name } = service.metadata;
  const servicePort = servicePortOf(service, expectation);
  if (servicePort === undefined) return [];
  const pods = view.pods(namespace);
  const podsByName = new Map(pods.map((pod) => [pod.metadata.name, pod]));
  // Clients of a headless Service use the port that they know, unless they look it up by its name.
  const isDialledAsIs = service.spec.clusterIP === 'None' && typeof portOf(expectation.to) === 'number';
  const { backends } = translate(service, servicePort, pods, view.endpointSlices(namespace, name));
  return backends
    .filter(({ ready }) => ready)
    .map(({ address, port, pod: reference }) => {
      const pod = reference === undefined ? undefined : podsByName.get(reference.name);
      return {
        port: isDialledAsIs ? servicePort.port : port,
        ...(address === undefined ? {} : { address }),
        ...(pod === undefined ? {} : { pod }),
      };
    });
}
