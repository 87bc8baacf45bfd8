/** The operator's composition root: reads the environment, wires the rooms, stops gracefully. */
import { randomBytes } from 'node:crypto';
import manifest from '../../package.json' with { type: 'json' };
import { systemClock } from '../clock/index.ts';
import { createController } from '../controller/index.ts';
import { createKubeClient } from '../kube/index.ts';
import { createMetrics } from '../metrics/index.ts';
import { createServer } from '../server/index.ts';
import { createLog } from './log.ts';
import { settingsFrom } from './settings.ts';

const requestTimeoutMs = 15_000;

async function main(): Promise<void> {
  const settings = settingsFrom(process.env);
  const { version } = manifest;
  const log = createLog(settings.logLevel);
  const metrics = createMetrics({ version, revision: process.env['POSTERN_REVISION'] ?? 'unknown' });
  const client = createKubeClient({
    ...settings.cluster,
    userAgent: `postern/${version}`,
    requestTimeoutMs,
    onRequest: (request) => metrics.kubeRequests.onRequest(request),
  });
  const queue = metrics.queueObserver('connectivitytest');
  const controller = createController({
    client,
    clock: systemClock,
    log,
    metrics,
    queueObserver: {
      depth: (depth) => queue.onDepth(depth),
      added: () => queue.onAdd(),
      retried: () => queue.onRetry(),
      waited: (seconds) => queue.onQueueDuration(seconds),
      worked: (seconds) => queue.onWorkDuration(seconds),
    },
    probeSettings: settings.probe,
    probePodLimits: settings.probePodLimits,
    calibrationPeriodSeconds: settings.calibrationPeriodSeconds,
    namespace: settings.namespace,
    networkPlugin: settings.networkPlugin,
    token: letters,
    instance: settings.podName,
  });
  const stop = stopOnSignal();
  const server = createServer({ metrics, readiness: () => readinessOf(controller.isReady(), stop.aborted), log });
  await server.listen({ port: settings.listenPort, host: '::' });
  log.info({ version, port: settings.listenPort }, 'Starting operator');
  await controller.run(stop);
  await server.close();
  await client.close();
  log.info({}, 'Stopped operator');
}

function readinessOf(isReady: boolean, isStopping: boolean): { ready: boolean; reason: string } {
  if (isStopping) return { ready: false, reason: 'stopping' };
  return isReady
    ? { ready: true, reason: 'ok' }
    : { ready: false, reason: 'waiting for the first lists of the API server' };
}

function stopOnSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}

/** Sixteen unpredictable letters from a to p: 64 random bits that may stand in an object's name. */
function letters(): string {
  return [...randomBytes(8).toString('hex')]
    .map((digit) => String.fromCharCode(97 + Number.parseInt(digit, 16)))
    .join('');
}

await main();
