import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseResult, type PlannedCheck, planText } from '../index.ts';

const program = fileURLToPath(new URL('probe.sh', import.meta.url));
const nonce = 'abcdefghijklmnop';

let directory: string;
const closers: (() => void)[] = [];

/** What nc does, for machines without it: a socket of its own per process. */
const dial = `#!/bin/bash
exec 3<>"/dev/tcp/$6/$7" && echo "Connection to $6 $7 port [tcp/*] succeeded!" >&2
`;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postern-ports-'));
  writeFileSync(join(directory, 'nslookup'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(directory, 'nc'), dial, { mode: 0o755 });
});

afterEach(() => {
  for (const close of closers.splice(0)) close();
  rmSync(directory, { recursive: true, force: true });
});

/** A server on loopback that answers HTTP, and closes what is not, and notes which port each client came from. */
async function streamServer(clients: number[]): Promise<number> {
  const server = createServer((socket) => {
    clients.push(socket.remotePort ?? 0);
    socket.on('error', () => {});
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n'));
  });
  closers.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** The same over UDP; what is silent notes all the same. */
async function datagramServer(clients: number[], isSilent: boolean): Promise<number> {
  const socket = createSocket('udp4');
  closers.push(() => socket.close());
  socket.on('message', (question, { port, address }) => {
    clients.push(port);
    if (!isSilent) socket.send(question, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}

/** How many attempts the program says that it made. */
async function attemptsOf(check: Omit<PlannedCheck, 'id'>): Promise<number | undefined> {
  const file = join(directory, 'result');
  await promisify(execFile)('/bin/sh', [program], {
    env: {
      PATH: `${directory}:${process.env['PATH'] ?? ''}`,
      POSTERN_PLAN: planText([{ id: 0, ...check }]),
      POSTERN_NONCE: nonce,
      POSTERN_TIMEOUT_SECONDS: '1',
      POSTERN_SETTLE_SECONDS: '1',
      POSTERN_RESULT_FILE: file,
    },
  });
  return parseResult(readFileSync(file, 'utf8'), nonce, [0])?.observations.get(0)?.attempts;
}

// A connection that was admitted once may stay so (conntrack, proxies): only a new one is judged by the policies of now.
it('comes from a new port with each connection of each attempt', async () => {
  const clients: number[] = [];
  const port = await streamServer(clients);

  const attempts = await attemptsOf({ mode: 'seal', address: '127.0.0.1', port });

  expect(attempts).toBeGreaterThan(2);
  expect(clients).toHaveLength(attempts ?? 0);
  expect(new Set(clients).size).toBe(clients.length);
});

it('asks for each HTTP answer on a connection of its own', async () => {
  const clients: number[] = [];
  const port = await streamServer(clients);

  const attempts = await attemptsOf({ mode: 'converge', address: '127.0.0.1', port, http: { path: '/' } });

  expect(attempts).toBe(2);
  // Each attempt opens one connection to see whether it stands, and one for the request.
  expect(clients).toHaveLength(4);
  expect(new Set(clients).size).toBe(4);
});

it.each<[string, Omit<PlannedCheck, 'id' | 'port'>]>([
  ['datagram', { mode: 'guard', address: '127.0.0.1', udp: { payload: '70696e67' } }],
  ['DNS query', { mode: 'guard', address: '127.0.0.1', dns: { name: 'a.example.', type: 'A', protocol: 'UDP' } }],
])('sends the %s of each attempt from a new port, and repeats it from the same one', async (_, check) => {
  const clients: number[] = [];
  const port = await datagramServer(clients, true);

  expect(await attemptsOf({ ...check, port })).toBe(2);

  // Within an attempt it is sent once more, because one may get lost.
  expect(clients).toHaveLength(4);
  expect(new Set(clients).size).toBe(2);
  expect(clients[0]).toBe(clients[1]);
});
