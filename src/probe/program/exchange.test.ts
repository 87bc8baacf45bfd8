import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Observation, parseResult, type PlannedCheck, planText } from '../index.ts';

const program = fileURLToPath(new URL('probe.sh', import.meta.url));
const nonce = 'abcdefghijklmnop';

type Answer = (question: Buffer) => Buffer | undefined;

let directory: string;
const open: (Socket | Server)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postern-exchange-'));
});

afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A server on a loopback port of its own, and what it was sent. */
async function datagramServer(answer: Answer): Promise<{ readonly port: number; readonly received: Buffer[] }> {
  const socket = createSocket('udp4');
  open.push(socket);
  const received: Buffer[] = [];
  socket.on('message', (question, { port, address }) => {
    received.push(question);
    const reply = answer(question);
    if (reply !== undefined) socket.send(reply, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { port: socket.address().port, received };
}

/** The same over TCP, answering in two pieces. */
async function streamServer(answer: Answer): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (question) => {
      const reply = answer(question.subarray(2));
      if (reply === undefined) return;
      socket.write(Buffer.from([reply.length >> 8, reply.length & 255]));
      setImmediate(() => socket.write(reply));
    });
  });
  open.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A port of loopback on which nobody listens. */
async function closedPort(): Promise<number> {
  const { port } = await datagramServer(() => undefined);
  const socket = open.pop();
  socket?.close();
  return port;
}

async function observe(check: Omit<PlannedCheck, 'id'>, resolver = ''): Promise<Observation | undefined> {
  const [result, resolverFile] = [join(directory, 'result'), join(directory, 'resolv.conf')];
  writeFileSync(resolverFile, resolver);
  writeFileSync(join(directory, 'nslookup'), '#!/bin/sh\n', { mode: 0o755 });
  await promisify(execFile)('/bin/sh', [program], {
    env: {
      PATH: `${directory}:${process.env['PATH'] ?? ''}`,
      POSTERN_PLAN: planText([{ id: 0, ...check }]),
      POSTERN_NONCE: nonce,
      POSTERN_TIMEOUT_SECONDS: '1',
      POSTERN_SETTLE_SECONDS: '0',
      POSTERN_RESULT_FILE: result,
      POSTERN_RESOLVER_FILE: resolverFile,
    },
  });
  return parseResult(readFileSync(result, 'utf8'), nonce, [0])?.observations.get(0);
}

describe('a datagram', () => {
  const ask = (port: number, payload: string) =>
    observe({ mode: 'guard', address: '127.0.0.1', port, udp: { payload } });

  it.each([
    ['is answered', '70696e67'],
    ['that holds line ends, zeros and format characters is sent in one piece', '0a000d255c27220a00'],
  ])('%s', async (_, payload) => {
    const { port, received } = await datagramServer((question) => question);

    expect(await ask(port, payload)).toMatchObject({ outcome: 'Connected', stage: 'connect', attempts: 1 });
    expect(received[0]?.toString('hex')).toBe(payload);
  });

  it('is answered even by an empty one', async () => {
    const { port } = await datagramServer(() => Buffer.alloc(0));

    expect(await ask(port, '00')).toMatchObject({ outcome: 'Connected' });
  });

  it('is sent again in case it got lost', async () => {
    let heard = 0;
    const { port } = await datagramServer((question) => (heard++ === 0 ? undefined : question));

    expect(await ask(port, '00')).toMatchObject({ outcome: 'Connected', attempts: 1 });
  });

  it('meets silence, twice', async () => {
    const { port } = await datagramServer(() => undefined);

    expect(await ask(port, '00')).toMatchObject({
      outcome: 'TimedOut',
      firstOutcome: 'TimedOut',
      stage: 'connect',
      attempts: 2,
    });
  });

  it('is refused where nobody listens', async () => {
    expect(await ask(await closedPort(), '00')).toMatchObject({ outcome: 'Refused', stage: 'connect' });
  });
});

describe('a DNS query', () => {
  const flags = { answered: 0x8180, absent: 0x8183, failed: 0x8182, refused: 0x8185 };

  /** A name server that knows these names alone. */
  function zone(known: readonly string[], otherwise: keyof typeof flags = 'absent'): Answer {
    // An owner by pointer to the question, type and class IN, a time to live, and an address.
    const record = Buffer.from('c00c000100010000003c00040a000005', 'hex');
    return (question) => {
      const isKnown = known.includes(nameOf(question));
      const header = Buffer.from(question.subarray(0, 12));
      header.writeUInt16BE(isKnown ? flags.answered : flags[otherwise], 2);
      header.writeUInt16BE(isKnown ? 1 : 0, 6);
      return Buffer.concat([header, question.subarray(12), ...(isKnown ? [record] : [])]);
    };
  }

  /** Answers with a CNAME whose owner is spelled out, then records of these types of the name that it leads to. */
  function alias(types: readonly string[]): Answer {
    return (question) => {
      const header = Buffer.from(question.subarray(0, 12));
      header.writeUInt16BE(flags.answered, 2);
      header.writeUInt16BE(1 + types.length, 6);
      const cname = '026462076578616d706c650000050001000000ff00040161c00f';
      const others = types.map((type) => `0161c00f${type}0001000000ff00040a000005`);
      return Buffer.concat([header, question.subarray(12), Buffer.from([cname, ...others].join(''), 'hex')]);
    };
  }

  function nameOf(question: Buffer): string {
    const labels: string[] = [];
    for (let at = 12; (question[at] ?? 0) > 0; at += (question[at] ?? 0) + 1) {
      labels.push(question.toString('latin1', at + 1, at + 1 + (question[at] ?? 0)));
    }
    return labels.join('.');
  }

  const lookUp = (port: number, name: string, resolver = '', protocol: 'TCP' | 'UDP' = 'UDP') =>
    observe({ mode: 'guard', address: '127.0.0.1', port, dns: { name, type: 'A', protocol } }, resolver);

  it.each<[string, Answer, Partial<Observation>]>([
    ['resolves', zone(['db.example']), { outcome: 'Connected', stage: 'dns', attempts: 1 }],
    ['is told that there is no such name', zone([]), { outcome: 'NameNotResolved', stage: 'dns' }],
    ['is told of a failure', zone([], 'failed'), { outcome: 'NameServerFailed', stage: 'dns' }],
    ['is refused by the server', zone([], 'refused'), { outcome: 'NameServerFailed', stage: 'dns' }],
    ['gets no records of that type', zone([], 'answered'), { outcome: 'NameNotResolved', stage: 'dns' }],
    ['gets an alias that leads nowhere', alias([]), { outcome: 'NameNotResolved', stage: 'dns' }],
    ['gets an alias and its record', alias(['0001']), { outcome: 'Connected', stage: 'dns' }],
    ['gets something else', () => Buffer.from('hello there, client'), { outcome: 'NameServerFailed', stage: 'dns' }],
    [
      'meets silence',
      () => undefined,
      { outcome: 'TimedOut', firstOutcome: 'TimedOut', stage: 'connect', attempts: 2 },
    ],
  ])('%s', async (_, answer, seen) => {
    const { port } = await datagramServer(answer);

    expect(await lookUp(port, 'db.example')).toMatchObject(seen);
  });

  it.each<[string, Answer, Partial<Observation>]>([
    ['resolves', zone(['db.example']), { outcome: 'Connected', stage: 'dns' }],
    ['is told that there is no such name', zone([]), { outcome: 'NameNotResolved', stage: 'dns' }],
    ['meets silence on a connection that stands', () => undefined, { outcome: 'TimedOut', stage: 'dns' }],
  ])('over TCP %s', async (_, answer, seen) => {
    expect(await lookUp(await streamServer(answer), 'db.example', '', 'TCP')).toMatchObject(seen);
  });

  it('is refused where nobody listens', async () => {
    expect(await lookUp(await closedPort(), 'db.example')).toMatchObject({ outcome: 'Refused', stage: 'connect' });
  });

  const search = 'search shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n';
  it.each([
    [
      'the search domains first',
      'db',
      search,
      ['db.shop.svc.cluster.local', 'db.svc.cluster.local', 'db.cluster.local', 'db'],
    ],
    ['the name first if it has dots enough', 'a.b', 'search x\noptions ndots:1\n', ['a.b', 'a.b.x']],
    ['one dot being enough by default', 'a.b', 'search x\n', ['a.b', 'a.b.x']],
    ['the name alone if it ends in a dot', 'db.', search, ['db']],
    ['the name alone without search domains', 'db', '', ['db']],
  ])('tries %s', async (_, name, resolver, names) => {
    const { port, received } = await datagramServer(zone([]));

    await lookUp(port, name, resolver);

    // A question that is not answered at once is asked again.
    const asked = received.map(nameOf).filter((each, index, all) => each !== all[index - 1]);
    expect(asked).toEqual([...names, ...names].filter((each, index, all) => each !== all[index - 1]));
  });

  it("asks the pod's own resolver where no server is named", async () => {
    const seen = await observe(
      { mode: 'guard', port: await closedPort(), dns: { name: 'db', type: 'A', protocol: 'UDP' } },
      'nameserver 127.0.0.1\n',
    );

    expect(seen).toMatchObject({ outcome: 'Refused', stage: 'connect' });
  });

  it('goes on to the next name whatever was answered about one', async () => {
    const { port } = await datagramServer(zone(['db'], 'refused'));

    expect(await lookUp(port, 'db', search)).toMatchObject({ outcome: 'Connected', stage: 'dns', attempts: 1 });
  });

  it('does not call a server silent that answered about another name', async () => {
    const known = zone([]);
    const { port } = await datagramServer((question) => (nameOf(question) === 'db' ? undefined : known(question)));

    expect(await lookUp(port, 'db', search)).toMatchObject({ outcome: 'NameServerFailed', stage: 'dns' });
  });

  it('asks again over TCP where an answer was cut short', async () => {
    const known = zone(['db.example']);
    const port = await streamServer(known);
    const socket = createSocket('udp4');
    open.push(socket);
    socket.on('message', (question, { port: from, address }) => {
      const header = Buffer.from(question.subarray(0, 12));
      header.writeUInt16BE(0x8380, 2);
      socket.send(Buffer.concat([header, question.subarray(12)]), from, address);
    });
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');

    expect(await lookUp(port, 'db.example')).toMatchObject({ outcome: 'Connected', stage: 'dns' });
  });

  it('leaves an empty search domain out', async () => {
    const { port, received } = await datagramServer(zone([]));

    await lookUp(port, 'db', 'search . x\noptions ndots:5\n');

    expect(new Set(received.map(nameOf))).toEqual(new Set(['db.x', 'db']));
  });

  it('says nothing where there is no resolver', async () => {
    const seen = await observe({ mode: 'guard', port: 53, dns: { name: 'db', type: 'A', protocol: 'UDP' } });

    expect(seen).toMatchObject({ outcome: 'ProbeLost' });
  });
});
