import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { special } from '../../testing/addresses.ts';
import { type Observation, parseResult, type PlannedCheck, planText, specialAddress } from '../index.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const program = fileURLToPath(new URL('probe.sh', import.meta.url));
const nonce = 'abcdefghijklmnop';
const getent = execFileSync('/bin/sh', ['-c', 'command -v getent'], { encoding: 'utf8' }).trim();

let directory: string;
let server: Server;
/** What reached the server: the address that it was dialled on, and the request line. */
let arrived: string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'postern-address-'));
  tool('nslookup', 'exit 1');
  arrived = [];
  server = createServer((request: IncomingMessage, response) => {
    arrived.push(`${request.socket.localAddress} ${request.headers.host} ${request.url}`);
    response.writeHead(302, { location: `http://127.0.0.77:${port()}/elsewhere` }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
});

afterEach(() => {
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A stand-in for a tool. */
function tool(name: string, script: string): void {
  writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

function port(): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Connects for real, as nc does, on the network of this machine; it notes what it is told to dial. */
const dialling = `echo "$6 $7" >>"$FAKES/dialled"
exec bash -c 'exec 3<>"/dev/tcp/$0/$1" && echo "Connection to $0 $1 port succeeded!" >&2' "$6" "$7"`;

function dialled(): string[] {
  return readFileSync(join(directory, 'dialled'), { encoding: 'utf8', flag: 'a+' }).trim().split('\n');
}

type Unnumbered = Omit<PlannedCheck, 'id'>;

async function observe(checks: readonly Unnumbered[], environment = {}): Promise<ReadonlyMap<number, Observation>> {
  const result = join(directory, 'result');
  const plan = checks.map((check, id) => ({ ...check, id }));
  await promisify(execFile)('/bin/sh', [program], {
    env: {
      PATH: `${directory}:${process.env['PATH'] ?? ''}`,
      FAKES: directory,
      POSTERN_PLAN: planText(plan),
      POSTERN_NONCE: nonce,
      POSTERN_TIMEOUT_SECONDS: '2',
      POSTERN_SETTLE_SECONDS: '0',
      POSTERN_RESULT_FILE: result,
      ...environment,
    },
  });
  const ids = plan.map(({ id }) => id);
  return parseResult(readFileSync(result, 'utf8'), nonce, ids)?.observations ?? new Map();
}

describe('an address that a name resolved to', () => {
  /** What the program does with each address, as the C library writes it: `refused` or `dialled`. */
  async function treatment(addresses: readonly string[]): Promise<readonly (string | undefined)[]> {
    addresses.forEach((address, index) => writeFileSync(join(directory, `n${index}.example`), address));
    tool('getent', `exec ${getent} ahosts "$(cat "$FAKES/$2")"`);
    tool('nc', 'echo "nc: connect failed: Connection refused" >&2; exit 1');
    const checks = addresses.map((_, index): Unnumbered => ({ mode: 'converge', host: `n${index}.example`, port: 80 }));
    // Many at once, on a machine that may be busy with others: nothing here is to run out of time.
    const seen = await observe(checks, { POSTERN_TIMEOUT_SECONDS: '20' });
    return addresses.map((_, index) => seen.get(index)?.outcome);
  }
  const wanted = (address: string) => (specialAddress(address) === undefined ? 'Refused' : 'AddressNotAllowed');

  it('is treated by the program as by the operator, in every notation', async () => {
    const addresses = special.map(([address]) => address);

    expect(await treatment(addresses)).toEqual(addresses.map(wanted));
  });

  it('is treated alike near every border of a special range, and anywhere', async () => {
    const bytes = fc.oneof(
      fc.constantFrom(0, 1, 100, 126, 127, 128, 168, 169, 192, 200, 223, 224, 239, 240, 253, 254, 255),
      fc.nat(255),
    );
    const four = fc.array(bytes, { minLength: 4, maxLength: 4 }).map((parts) => parts.join('.'));
    const within = fc.tuple(fc.constantFrom('::ffff:', '::', '64:ff9b::'), four).map((parts) => parts.join(''));
    const group = fc.oneof(
      fc.constantFrom('0', '1', 'fe80', 'fec0', 'febf', 'ff02', 'fd00', 'ec2', '254', 'ffff', '64', 'ff9b'),
      fc.nat(0xffff).map((n) => n.toString(16)),
    );
    const six = fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':'));
    const short = fc.tuple(group, group).map(([head, tail]) => `${head}::${tail}`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(four, within, six, short, fc.ipV6()), { minLength: 32, maxLength: 32 }),
        async (addresses) => {
          expect(await treatment(addresses)).toEqual(addresses.map(wanted));
        },
      ),
      { numRuns: 8, endOnFailure: true },
    );
  });

  it.each([
    '2130706433',
    '127.1',
    '0x7f.1',
    '0x7f000001',
    '0177.0.0.1',
    '017700000001',
    '127.0.0.01',
    '0',
    '2852039166',
  ])('is not dialled where the name is %s, which the C library takes for one', async (host) => {
    tool('nc', 'echo "$6" >>"$FAKES/dialled"; exit 1');

    // planText refuses such a name; the program does not count on it.
    const seen = await observe([{ mode: 'guard', host: 'x.example', port: 80 }], {
      POSTERN_PLAN: `0 guard tcp - 80 ${host} - -`,
    });

    expect(seen.get(0)?.outcome).toBe('AddressNotAllowed');
    expect(dialled()).toEqual(['']);
  });
});

describe('a name server that changes its mind', () => {
  /** Answers each lookup by the next line, the last one again and again. */
  function rebinding(...addresses: readonly string[]): void {
    writeFileSync(join(directory, 'answers'), `${addresses.join('\n')}\n`);
    tool(
      'getent',
      `cd "$FAKES" && read -r first <answers && echo "$first STREAM $2"
      [ "$(wc -l <answers)" -eq 1 ] || { tail -n +2 answers >rest && mv rest answers; }`,
    );
  }

  it('cannot have an address dialled that was not looked at', async () => {
    rebinding('198.51.100.7', '169.254.169.254');
    tool('nc', `echo "$6 $7" >>"$FAKES/dialled"; echo "nc: connect failed: Connection refused" >&2; exit 1`);

    const seen = await observe([{ mode: 'guard', host: 'rebound.example', port: 80 }]);

    expect(dialled()).toEqual(['198.51.100.7 80']);
    expect(seen.get(0)).toMatchObject({ outcome: 'AddressNotAllowed', firstOutcome: 'Refused', attempts: 2 });
  });

  it('is asked once for a connection and its request, which goes where the connection stood', async () => {
    rebinding('127.0.0.55', '127.0.0.66');
    tool('nc', dialling);
    const unguarded = readFileSync(program, 'utf8').replace('is_forbidden "$address" && ', 'false && ');
    const open = join(directory, 'unguarded.sh');
    writeFileSync(open, unguarded);

    // Loopback is what this machine has to offer; so the guard is out, and what is left is what is asked and dialled.
    await promisify(execFile)('/bin/sh', [open], {
      env: {
        PATH: `${directory}:${process.env['PATH'] ?? ''}`,
        FAKES: directory,
        POSTERN_PLAN: planText([{ id: 0, mode: 'guard', host: 'rebound.example', port: port(), http: { path: '/a' } }]),
        POSTERN_NONCE: nonce,
        POSTERN_TIMEOUT_SECONDS: '2',
        POSTERN_SETTLE_SECONDS: '0',
        POSTERN_RESULT_FILE: join(directory, 'result'),
      },
    });

    expect(dialled()).toEqual([`127.0.0.55 ${port()}`]);
    expect(arrived).toEqual([`127.0.0.55 rebound.example:${port()} /a`]);
  });
});

describe('an HTTP request', () => {
  const check = (): Unnumbered => ({ mode: 'guard', address: '127.0.0.55', port: port(), http: { path: '/a' } });

  it('does not go where a redirect leads', async () => {
    tool('nc', dialling);

    const seen = await observe([check()]);

    expect(seen.get(0)).toMatchObject({ outcome: 'Connected', httpStatus: 302 });
    expect(arrived).toEqual([`127.0.0.55 127.0.0.55:${port()} /a`]);
  });

  it('does not go through a proxy, whatever the environment and the home directory say', async () => {
    tool('nc', dialling);
    const proxy = `http://127.0.0.99:${port()}`;
    writeFileSync(join(directory, '.curlrc'), `proxy = ${proxy}\nlocation\n`);

    await observe([check()], {
      http_proxy: proxy,
      HTTP_PROXY: proxy,
      https_proxy: proxy,
      ALL_PROXY: proxy,
      all_proxy: proxy,
      no_proxy: '',
      HOME: directory,
      CURL_HOME: directory,
    });

    expect(arrived).toEqual([`127.0.0.55 127.0.0.55:${port()} /a`]);
  });
});
