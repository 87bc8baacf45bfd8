import { connect } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { createApplication } from './application.ts';
import { createServer, type Readiness, type Server, type ServerSources } from './index.ts';

function sources(overrides: Partial<ServerSources> = {}): ServerSources {
  return {
    metrics: { expose: () => Promise.resolve('up 1\n'), contentType: 'text/plain; version=0.0.4; charset=utf-8' },
    readiness: () => ({ ready: true, reason: 'ready' }),
    log: pino({ level: 'silent' }),
    ...overrides,
  };
}

describe('routes', () => {
  it('serves metrics in the content type of their registry', async () => {
    const answer = await createApplication(sources()).inject('/metrics');

    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.body).toBe('up 1\n');
  });

  it('is healthy as long as it answers, ready or not', async () => {
    const application = createApplication(sources({ readiness: () => ({ ready: false, reason: 'waiting' }) }));

    const answer = await application.inject('/healthz');

    expect([answer.statusCode, answer.body]).toEqual([200, 'ok\n']);
  });

  it('follows readiness through start, work and shutdown', async () => {
    let readiness: Readiness = { ready: false, reason: 'waiting for pods to sync' };
    const application = createApplication(sources({ readiness: () => readiness }));

    const starting = await application.inject('/readyz');
    readiness = { ready: true, reason: 'ready' };
    const working = await application.inject('/readyz');
    readiness = { ready: false, reason: 'shutting down' };
    const stopping = await application.inject('/readyz');

    expect([starting.statusCode, starting.body]).toEqual([503, 'waiting for pods to sync\n']);
    expect([working.statusCode, working.body]).toEqual([200, 'ready\n']);
    expect([stopping.statusCode, stopping.body]).toEqual([503, 'shutting down\n']);
  });

  it('keeps the text of an error to itself', async () => {
    const expose = (): Promise<string> => Promise.reject(new Error('secret detail'));
    const application = createApplication(sources({ metrics: { expose, contentType: 'text/plain' } }));

    const answer = await application.inject('/metrics');

    expect([answer.statusCode, answer.body]).toEqual([500, 'internal error\n']);
  });

  it('does not repeat an unknown address', async () => {
    const answer = await createApplication(sources()).inject('/debug/pprof?<script>');

    expect([answer.statusCode, answer.body]).toEqual([404, 'not found\n']);
  });

  it('takes no body: there is nothing to write to', async () => {
    const application = createApplication(sources());

    const answer = await application.inject({ method: 'POST', url: '/metrics', body: 'x'.repeat(4096) });

    expect(answer.statusCode).toBe(404);
  });
});

describe('socket', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  it('listens on a port of the system and answers there', async () => {
    server = createServer(sources());

    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });

    const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect(await answer.text()).toBe('ok\n');
  });

  it('closes although a scraper keeps its connection open', async () => {
    server = createServer(sources());
    const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
    const socket = connect(port, '127.0.0.1');
    const answered = new Promise((resolve) => socket.once('data', resolve));
    socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await answered;
    const closed = new Promise((resolve) => socket.once('close', resolve));

    await server.close();

    await closed;
  });
});
