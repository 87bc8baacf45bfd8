import { createKubeClient } from '../kube/index.ts';
import { CONTRACT_TYPES, describeApiContract } from './api-contract.ts';
import { ApiServer } from './index.ts';

describeApiContract('the in-process server', async () => {
  const server = await ApiServer.start(CONTRACT_TYPES);
  const client = createKubeClient({
    kubeconfigPath: server.kubeconfigPath,
    userAgent: 'contract/1',
    requestTimeoutMs: 30_000,
  });
  return {
    client,
    close: async () => {
      await client.close();
      await server.stop();
    },
  };
});
