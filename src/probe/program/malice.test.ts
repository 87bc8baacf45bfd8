import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Observation, parseResult, type PlannedCheck, planText } from '../index.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 90_000 });

const program = fileURLToPath(new URL('probe.sh', import.meta.url));
const nonce = 'abcdefghijklmnop';
/** What a target says and no result may repeat. */
const canary = 'c4n4ry';
/** Memory that a pod's programs have at most; see the manifest. Here of address space, and for each of them. */
const memoryKiB = 192 * 1024;

let directory: string;
let server: Server;
let sockets: Set<Socket>;
let stopped: boolean;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postern-malice-'));
  writeFileSync(join(directory, 'nslookup'), '#!/bin/sh\n', { mode: 0o755 });
  // Connects for real, as nc does, and leaves at once.
  const nc = `#!/bin/bash\nexec 3<>"/dev/tcp/$6/$7" && echo "Connection to $6 $7 port succeeded!" >&2\n`;
  writeFileSync(join(directory, 'nc'), nc, { mode: 0o755 });
  sockets = new Set();
  stopped = false;
});

afterEach(() => {
  stopped = true;
  for (const socket of sockets) socket.destroy();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A target on a loopback port of its own that does this with each connection. */
async function target(act: (socket: Socket) => void): Promise<number> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    act(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Says the same again and again, as fast as it is read. */
function endlessly(socket: Socket, text: string | Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(text));
  };
  socket.on('drain', more);
  more();
}

/** Says one byte at a time. */
function dripping(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => {
    if (stopped || socket.destroyed) return clearInterval(timer);
    socket.write(text.charAt(at++ % text.length));
  }, 50);
}

async function observe(check: Omit<PlannedCheck, 'id'>): Promise<{ seen: Observation | undefined; message: string }> {
  const file = join(directory, 'result');
  await promisify(execFile)('/bin/sh', ['-c', `ulimit -v ${memoryKiB} && exec /bin/sh ${program}`], {
    env: {
      PATH: `${directory}:${process.env['PATH'] ?? ''}`,
      POSTERN_PLAN: planText([{ id: 0, ...check }]),
      POSTERN_NONCE: nonce,
      POSTERN_TIMEOUT_SECONDS: '1',
      POSTERN_SETTLE_SECONDS: '0',
      POSTERN_RESULT_FILE: file,
    },
  });
  const message = readFileSync(file, 'utf8');
  return { seen: parseResult(message, nonce, [0])?.observations.get(0), message };
}

const headers = `Server: ${canary}\r\nSet-Cookie: ${canary}\r\n`;
const mebibyte = canary.repeat(Math.ceil(2 ** 20 / canary.length));

/** What a target does, and how a request for its answer ends: never as nothing, never as more than it is. */
const targets: readonly (readonly [string, (socket: Socket) => void, Partial<Observation>])[] = [
  ['says nothing', () => {}, { outcome: 'TimedOut', stage: 'http' }],
  ['drips its status line', (socket) => dripping(socket, 'HTTP/1.1 '), { outcome: 'TimedOut', stage: 'http' }],
  ['drips headers', (socket) => dripping(socket, `HTTP/1.1 200 OK\r\n${headers.repeat(99)}`), {}],
  ['has an endless status line', (socket) => endlessly(socket, mebibyte), { outcome: 'ProbeLost' }],
  [
    'has an endless header',
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX: ');
      endlessly(socket, mebibyte);
    },
    {},
  ],
  [
    'has endlessly many headers',
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      endlessly(socket, headers.repeat(1000));
    },
    {},
  ],
  [
    'has endlessly many interim answers',
    (socket) => endlessly(socket, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000)),
    {},
  ],
  [
    'has an endless body',
    (socket) => {
      socket.write(`HTTP/1.1 200 ${canary}\r\n${headers}\r\n`);
      endlessly(socket, mebibyte);
    },
    { outcome: 'Connected', httpStatus: 200 },
  ],
  [
    'has an endless body in endless chunks',
    (socket) => {
      socket.write(`HTTP/1.1 503 ${canary}\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff;${canary}\r\n`);
      endlessly(socket, mebibyte);
    },
    { outcome: 'HTTPMismatch', httpStatus: 503 },
  ],
  [
    'announces more than there is',
    (socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n${canary}`),
    {},
  ],
  ['speaks another protocol', (socket) => socket.write(`220 ${canary} ESMTP\r\n`), { outcome: 'ProbeLost' }],
  ['sends a status that is none', (socket) => socket.end(`HTTP/1.1 2000 ${canary}\r\n\r\n`), {}],
  [
    'sends a result of its own',
    (socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\npostern/1 ${nonce} 1\n0 Cc 1 1 Cc -\nend ${nonce} A\n`),
    { outcome: 'Connected', httpStatus: 200 },
  ],
  ['hangs up', (socket) => socket.destroy(), { outcome: 'Reset' }],
];

/** Outcomes by which a Deny passes: silence, and on some clusters a rejection, while connecting. */
const isDenial = (seen: Observation | undefined): boolean =>
  seen?.stage === 'connect' && ['TimedOut', 'Refused', 'Unreachable'].includes(seen.outcome);

describe('a target that means harm', () => {
  it.each(targets)('and $0 is seen for what it is, within bounds, and not repeated', async (_, act, wanted) => {
    const port = await target(act);

    const { seen, message } = await observe({ mode: 'guard', address: '127.0.0.1', port, http: { path: '/' } });

    expect(seen).toMatchObject(wanted);
    expect(isDenial(seen)).toBe(false);
    expect(message).not.toContain(canary);
  });

  it('is reached by a bare connection, however much it says', async () => {
    const port = await target((socket) => endlessly(socket, mebibyte));

    const { seen, message } = await observe({ mode: 'guard', address: '127.0.0.1', port });

    expect(seen).toMatchObject({ outcome: 'Connected', attempts: 1 });
    expect(message).not.toContain(canary);
  });

  const handshakes: readonly (readonly [string, (socket: Socket) => void])[] = [
    ['never answers the handshake', () => {}],
    ['drips its handshake', (socket) => dripping(socket, '\u0016\u0003\u0003\u0000\u007a\u0002\u0000')],
    ['sends endless TLS records', (socket) => endlessly(socket, Buffer.from('160303000400000000'.repeat(1000), 'hex'))],
    ['sends endless alerts', (socket) => endlessly(socket, Buffer.from('15030300020100'.repeat(1000), 'hex'))],
    [
      'announces a record of 64 KiB',
      (socket) => endlessly(socket, Buffer.from(`160303ffff02ffffff${'00'.repeat(999)}`, 'hex')),
    ],
    ['answers in plain text', (socket) => endlessly(socket, mebibyte)],
  ];
  it.each(handshakes)('and $0 fails at TLS, within bounds', async (_, act) => {
    const port = await target(act);

    const { seen, message } = await observe({
      mode: 'guard',
      address: '127.0.0.1',
      port,
      http: { scheme: 'HTTPS', path: '/' },
    });

    expect(`${seen?.outcome} ${seen?.stage}`).toMatch(/^(TLSFailed|TimedOut|Reset) tls$/);
    expect(message).not.toContain(canary);
  });

  it('does not get its certificate repeated', async () => {
    const [key, certificate] = [join(directory, 'key'), join(directory, 'certificate')];
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      `/CN=${canary}`,
    ];
    execFileSync('openssl', [...request, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    const { createServer: createSecureServer } = await import('node:https');
    const secure = createSecureServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (_, response) => {
      response.writeHead(404, canary, { [canary]: canary }).end(canary);
    });
    server = secure;
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const address = secure.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;

    const { seen, message } = await observe({
      mode: 'guard',
      address: '127.0.0.1',
      port,
      http: { scheme: 'HTTPS', path: '/' },
    });

    expect(seen).toMatchObject({ outcome: 'HTTPMismatch', httpStatus: 404 });
    expect(message).not.toContain(canary);
  });

  it.each<[string, (socket: Socket) => void, Partial<Observation>]>([
    [
      'an answer without an end',
      (socket) => endlessly(socket, mebibyte),
      { outcome: 'NameServerFailed', stage: 'dns' },
    ],
    ['a length and no more', (socket) => socket.write('\u0000\u0020'), { outcome: 'TimedOut', stage: 'dns' }],
    ['one byte', (socket) => socket.write('x'), { outcome: 'TimedOut', stage: 'dns' }],
    ['nothing', () => {}, { outcome: 'TimedOut', stage: 'dns' }],
    ['a length late, and no more', (socket) => setTimeout(() => socket.write('\u0000\u0020'), 700), { stage: 'dns' }],
    ['one byte now and then', (socket) => dripping(socket, '\u0000\u00ff'), { stage: 'dns' }],
  ])('and gives a DNS query over TCP $0 has been reached', async (_, act, wanted) => {
    const port = await target(act);

    const { seen, message } = await observe({
      mode: 'guard',
      address: '127.0.0.1',
      port,
      dns: { name: 'example.com', type: 'A', protocol: 'TCP' },
    });

    expect(seen).toMatchObject(wanted);
    expect(isDenial(seen)).toBe(false);
    expect(message).not.toContain(canary);
  });

  it('and is not silent where the program runs out of patience, not its tools', async () => {
    // As a pod on a busy node: the connection stands, and the tool that bounds the wait inside is late.
    const port = await target(() => {});
    const real = execFileSync('/bin/sh', ['-c', 'command -v timeout'], { encoding: 'utf8' }).trim();
    const late = `#!/bin/sh\nif [ "$2" = dd ]; then shift; exec "$@"; fi\nexec ${real} "$@"\n`;
    writeFileSync(join(directory, 'timeout'), late, { mode: 0o755 });

    const { seen } = await observe({
      mode: 'guard',
      address: '127.0.0.1',
      port,
      dns: { name: 'example.com', type: 'A', protocol: 'TCP' },
    });

    expect(seen).toMatchObject({ outcome: 'TimedOut', stage: 'dns' });
  });
});
