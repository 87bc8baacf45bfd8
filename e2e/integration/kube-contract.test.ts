import { describeApiContract } from '../../src/testing/api-contract.ts';
import { createKubeClient } from '../../src/kube/index.ts';
import { currentCluster } from '../cluster/index.ts';

describeApiContract('a real cluster', () => {
  const client = createKubeClient({
    kubeconfigPath: currentCluster().kubeconfig,
    userAgent: 'postern-contract/1',
    requestTimeoutMs: 10_000,
  });
  return Promise.resolve({ client, close: () => client.close() });
});
