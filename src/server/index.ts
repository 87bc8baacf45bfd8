/** The operator's own HTTP server: metrics for Prometheus, health for the kubelet, and nothing else. */
import type { AddressInfo } from 'node:net';
import { createApplication, type ServerSources } from './application.ts';

export type { Readiness, ServerSources } from './application.ts';

/** A server that listens once and closes once. */
export interface Server {
  /** Resolves with the port, which the system chooses if 0 was asked for. */
  listen(address: { port: number; host: string }): Promise<{ port: number }>;
  /** Stops listening, lets requests under way finish and closes idle connections. */
  close(): Promise<void>;
}

/** Builds the server; nothing listens yet. */
export function createServer(sources: ServerSources): Server {
  const application = createApplication(sources);
  return {
    listen: async ({ port, host }) => {
      await application.listen({ port, host });
      return { port: boundPort(application.server.address(), port) };
    },
    close: () => application.close(),
  };
}

function boundPort(address: AddressInfo | string | null, asked: number): number {
  return typeof address === 'object' && address !== null ? address.port : asked;
}
