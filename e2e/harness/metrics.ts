import type { Kubectl } from './kubectl.ts';
import { posternNamespace } from './postern.ts';

/** The operator's metrics, as Prometheus would read them. */
export function readMetrics(kubectl: Kubectl): Promise<string> {
  return kubectl(`get --raw /api/v1/namespaces/${posternNamespace}/services/postern-metrics:metrics/proxy/metrics`);
}
