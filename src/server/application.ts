/** The routes and limits of the server, apart from the socket so that tests need none. */
import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';

/** Whether the operator may be counted on, and in a few words why. */
export interface Readiness {
  readonly ready: boolean;
  readonly reason: string;
}

/** What the server shows; asked at each request. */
export interface ServerSources {
  readonly metrics: { expose(): Promise<string>; readonly contentType: string };
  /** False until the caches are in sync, and false again as the first step of a shutdown. */
  readonly readiness: () => Readiness;
  readonly log: FastifyBaseLogger;
}

/** No route takes a body; what is left is room for the framework's own checks. */
const BODY_LIMIT_BYTES = 1024;
const HEADER_LIMIT_BYTES = 8 * 1024;
/** A client that trickles its request in may hold a socket for this long, no longer. */
const REQUEST_TIMEOUT_MS = 5_000;
/** Outlives the usual scrape interval of up to a minute; more would only collect idle sockets. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** What is silent for longer than that is dead, kept alive or not. */
const CONNECTION_TIMEOUT_MS = 70_000;
const TEXT = 'text/plain; charset=utf-8';

/** Builds the application without listening. */
export function createApplication({ metrics, readiness, log }: ServerSources): FastifyInstance {
  const application = fastify({
    loggerInstance: log,
    // The kubelet asks every few seconds; a line for each answer would bury the ones that matter.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    http: { headersTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: HEADER_LIMIT_BYTES },
  });

  application.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
  });
  // Neither an error's text nor the address asked for goes back: both may hold what the asker should not learn or plant.
  application.setNotFoundHandler((_request, reply) => reply.code(404).type(TEXT).send('not found\n'));
  application.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ err: error }, 'Request failed');
    return reply
      .code(status)
      .type(TEXT)
      .send(status >= 500 ? 'internal error\n' : 'bad request\n');
  });

  application.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.expose()));
  // That an answer comes at all is the proof: a blocked event loop lets the kubelet's own timeout run out.
  application.get('/healthz', (_request, reply) => reply.type(TEXT).send('ok\n'));
  application.get('/readyz', (_request, reply) => {
    const { ready, reason } = readiness();
    return reply
      .code(ready ? 200 : 503)
      .type(TEXT)
      .send(`${reason}\n`);
  });
  return application;
}
