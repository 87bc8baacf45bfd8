import process from 'node:process';

import { GenericContainer, Wait } from 'testcontainers';

import { run } from './command.ts';
import { ownerLabel } from './network.ts';
import { images } from './versions.ts';

/** A server that is outside of the cluster and within its reach. */
export interface OutsideServer {
  readonly address: string;
  /** Its IPv6 address, where the cluster's network has both families. */
  readonly ipv6Address?: string;
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
  const settings = `{{(index .NetworkSettings.Networks "${clusterName}").GlobalIPv6Address}}`;
  const ipv6Address = (await run('docker', ['inspect', '--format', settings, container.getId()])).trim();
  return {
    ...(ipv6Address === '' ? {} : { ipv6Address }),
    address: container.getIpAddress(clusterName),
    port,
    stop: async () => {
      await container.stop();
    },
  };
}
