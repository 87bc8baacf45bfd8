import type { Pod, Protocol, ReadinessProbe } from '../api/index.ts';

/** Whether a container of the pod says that it listens on this port; nobody checks whether it does. */
export function declaresPort(pod: Pod, port: number, protocol: Protocol): boolean {
  return pod.spec.containers.some(({ ports }) =>
    ports?.some((declared) => declared.containerPort === port && (declared.protocol ?? 'TCP') === protocol),
  );
}

/**
 * Whether a container of the pod has a readiness probe that connects to this very port of this very pod. The kubelet dials
 * from the node, which network policies admit, so a Ready pod then answers there. A probe that sets `host` dials elsewhere.
 */
export function hasReadinessProbeOn(pod: Pod, port: number): boolean {
  return pod.spec.containers.some((container) => {
    const dialled = dialledPort(container.readinessProbe);
    if (dialled === undefined) return false;
    if (typeof dialled === 'number') return dialled === port;
    return container.ports?.some(({ name, containerPort }) => name === dialled && containerPort === port) === true;
  });
}

function dialledPort(probe: ReadinessProbe | undefined): number | string | undefined {
  if (probe?.grpc !== undefined) return probe.grpc.port;
  const action = probe?.httpGet ?? probe?.tcpSocket;
  return action === undefined || (action.host ?? '') !== '' ? undefined : action.port;
}
