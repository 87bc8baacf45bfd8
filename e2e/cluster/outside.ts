import process from 'node:process';

import { GenericContainer, Wait } from 'testcontainers';

import { ownerLabel } from './network.ts';
import { images } from './versions.ts';

/** A server that is outside of the cluster and within its reach. */
export interface OutsideServer {
  readonly address: string;
  readonly port: number;
  stop(): Promise<void>;
}

const port = 8080;

/** Starts a plain HTTP server on a cluster's docker network. */
export async function runOutsideServer(clusterName: string): Promise<OutsideServer> {
  // testcontainers' own reaper is an image that cannot be had everywhere; `cluster:down` removes what carries the label.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const container = await new GenericContainer(images.agnhost)
    .withCommand(['netexec', `--http-port=${port}`])
    .withNetworkMode(clusterName)
    .withLabels({ [ownerLabel]: clusterName })
    .withExposedPorts(port)
    .withWaitStrategy(Wait.forHttp('/', port))
    .start();
  return {
    address: container.getIpAddress(clusterName),
    port,
    stop: async () => {
      await container.stop();
    },
  };
}
