import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkWeight, maxWeightPerPod, type Observation, parseResult, type PlannedCheck, planText } from './index.ts';

// How single checks end is told in program/probe.test.ts. Here: the program as one process that runs many of them.

const program = fileURLToPath(new URL('program/probe.sh', import.meta.url));
const shell = existsSync('/bin/dash') ? '/bin/dash' : '/bin/sh'; // The probe image's shell is dash.
const nonce = 'ponmlkjihgfedcba';
const realTimeout = execFileSync('/bin/sh', ['-c', 'command -v timeout'], { encoding: 'utf8' }).trim();

/** Behind `hold`, a fake says that it arrived, and waits for a line from the gate. */
const hold = ': >"$FAKES/arrived.$$"; read -r _ <"$FAKES/gate"';
const healthy: Readonly<Record<string, string>> = {
  nc: 'echo "Connection to $6 $7 port [tcp/*] succeeded!" >&2',
  curl: 'printf 200',
  getent: 'echo "10.0.0.9 STREAM $2"',
  nslookup: 'echo "Name: kubernetes.default.svc.cluster.local"',
  timeout: 'shift; exec "$@"',
};

let directory: string;
let gate: number;
let running: ChildProcess | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postern-program-'));
  execFileSync('mkfifo', [join(directory, 'gate')]);
  gate = openSync(join(directory, 'gate'), 'r+');
  for (const [tool, script] of Object.entries(healthy)) fake(tool, script);
});

afterEach(() => {
  closeSync(gate);
  if (running?.pid !== undefined) process.kill(-running.pid, 'SIGKILL');
  running = undefined;
  rmSync(directory, { recursive: true });
});

/** Puts a stand-in for a tool into the program's PATH. It notes how it is called. */
function fake(tool: string, script: string): void {
  const text = `#!/bin/sh\nprintf '%s\\n' "${tool} $*" >>"$FAKES/calls"\n${script}\n`;
  writeFileSync(join(directory, tool), text, { mode: 0o755 });
}

function arrivals(): number {
  return readdirSync(directory).filter((name) => name.startsWith('arrived.')).length;
}

/** Starts the program in a process group of its own. It finds no tools but the fakes. */
function start(plan: string, environment: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const child = spawn(shell, [program], {
    cwd: directory,
    detached: true,
    // All descendants inherit the fourth descriptor, so `close` comes when the last of them has gone.
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: {
      PATH: directory,
      FAKES: directory,
      POSTERN_PLAN: plan,
      POSTERN_NONCE: nonce,
      POSTERN_TIMEOUT_SECONDS: '1',
      POSTERN_SETTLE_SECONDS: '0',
      POSTERN_RESULT_FILE: join(directory, 'result'),
      ...environment,
    },
  });
  running = child;
  return once(child, 'close').then(() => (running = undefined));
}

function message(): string {
  return existsSync(join(directory, 'result')) ? readFileSync(join(directory, 'result'), 'utf8') : '';
}

function calls(): readonly string[] {
  return readFileSync(join(directory, 'calls'), 'utf8').split('\n');
}

function resultOf(ids: readonly number[], text = message()): ReturnType<typeof parseResult> {
  return parseResult(text, nonce, ids);
}

type Unnumbered = Omit<PlannedCheck, 'id'>;
const tcp: Unnumbered = { mode: 'guard', address: '10.0.0.1', port: 1 };
const http: Unnumbered = { ...tcp, http: { path: '/' } };
const named: Unnumbered = { mode: 'guard', host: 'db.example', port: 1 };

/** The plan of checks that are numbered from 0. */
function planOf(...checks: readonly Unnumbered[]): string {
  return planText(checks.map((check, id) => ({ ...check, id })));
}

function on(port: number, check: Unnumbered): Unnumbered {
  return { ...check, port };
}

describe('the probe program', () => {
  it('tells all kinds of ends apart, side by side', async () => {
    fake(
      'nc',
      `case $7 in
      2) echo "nc: connect to $6 port $7 (tcp) failed: Connection refused" ;;
      3) echo "nc: connect to $6 port $7 (tcp) timed out: Operation now in progress" ;;
      4) echo "nc: connect to $6 port $7 (tcp) failed: No route to host" ;;
      5) echo "nc: connect to $6 port $7 (tcp) failed: Connection reset by peer" ;;
      *) echo "Connection to $6 $7 port [tcp/*] succeeded!"; exit 0 ;;
      esac; exit 1`,
    );
    fake(
      'curl',
      `for url; do :; done
      case $url in
      *:6/) printf 000; exit 28 ;;
      *:7/) printf 000; exit 52 ;;
      *:8/) printf 000; exit 56 ;;
      *:9/) printf 503 ;;
      *) printf 204 ;;
      esac`,
    );
    fake(
      'getent',
      'case $2 in no.*) exit 2 ;; bad.*) echo "169.254.169.254 STREAM" ;; *) echo "10.0.0.9 STREAM $2" ;; esac',
    );
    const kinds: readonly (readonly [Unnumbered, Observation['outcome'], Partial<Observation>])[] = [
      [tcp, 'Connected', { stage: 'connect', attempts: 1 }],
      [on(2, tcp), 'Refused', { stage: 'connect', attempts: 2 }],
      [on(3, tcp), 'TimedOut', { stage: 'connect', attempts: 2 }],
      [on(3, { ...tcp, mode: 'converge' }), 'TimedOut', { stage: 'connect', attempts: 1 }],
      [on(4, tcp), 'Unreachable', { stage: 'connect', attempts: 2 }],
      [on(5, tcp), 'Reset', { stage: 'connect', attempts: 2 }],
      [on(6, http), 'TimedOut', { stage: 'http', attempts: 1 }],
      [on(7, http), 'Reset', { stage: 'http', attempts: 1 }],
      [on(8, http), 'Reset', { stage: 'http', attempts: 1 }],
      [on(9, http), 'HTTPMismatch', { stage: 'http', attempts: 1, httpStatus: 503 }],
      [http, 'Connected', { stage: 'http', attempts: 1, httpStatus: 204 }],
      [on(3, named), 'TimedOut', { stage: 'connect', attempts: 2, address: '10.0.0.9' }],
      [{ ...named, host: 'no.example' }, 'NameNotResolved', { stage: 'dns', attempts: 2 }],
      [{ ...named, host: 'bad.example' }, 'AddressNotAllowed', { stage: 'dns', address: '169.254.169.254' }],
    ];

    await start(planOf(...kinds.map(([check]) => check)));

    const result = resultOf([...kinds.keys()]);
    expect(result?.resolverAnswered).toBe(true);
    for (const [id, [, outcome, facts]] of kinds.entries()) {
      expect(result?.observations.get(id)).toMatchObject({ outcome, firstOutcome: outcome, ...facts });
    }
  });

  it.each<[string, Unnumbered]>([
    ['addresses', tcp],
    ['names', named],
  ])(
    'dials as many %s as a pod may have at once, and says it in one message',
    async (_, check) => {
      const count = Math.floor(maxWeightPerPod / checkWeight(check));
      const checks = Array.from({ length: count }, (_, index) => ({ ...check, id: 9000 + index }));
      fake('nc', `${hold}; printf '%09000d timed out\\n' 0 >&2; exit 1`);
      fake('nslookup', hold);
      fake('getent', 'echo "fd00:1111:2222:3333:4444:5555:6666:7777 STREAM"');

      const end = start(planText(checks));
      await vi.waitFor(() => expect(arrivals()).toBe(count + 1), { timeout: 20_000 });
      writeFileSync(gate, '\n'.repeat(1000));
      await end;

      // Counts and times as long as they can be read.
      const longest = message().replaceAll(/^(\d+ \S+) \d+ \d+ /gm, '$1 9999 9999999 ');
      expect(longest.length).toBeGreaterThan(message().length);
      expect(Buffer.byteLength(longest)).toBeLessThanOrEqual(4096);
      const ids = checks.map(({ id }) => id);
      expect(resultOf(ids, longest)?.observations.size).toBe(count);
      expect([...(resultOf(ids)?.observations.values() ?? [])].every(({ attempts }) => attempts === 2)).toBe(true);
    },
    30_000,
  );

  it('tries silence exactly twice, each step for as long as it is told', async () => {
    fake('nc', 'echo "timed out" >&2; exit 1');
    fake('getent', 'echo "RES $RES_OPTIONS" >>"$FAKES/calls"; echo "10.0.0.9 STREAM"');

    await start(planOf(named));

    const lookUp = ['timeout 2 getent ahosts db.example', 'getent ahosts db.example', 'RES timeout:1 attempts:1'];
    const dial = 'nc -n -z -v -w 1 10.0.0.9 1';
    const own = calls().filter((call) => call !== '' && !call.includes('nslookup'));
    expect(own.toSorted()).toEqual([...lookUp, dial, ...lookUp, dial].toSorted());
    expect(calls()).toContain('timeout 2 nslookup kubernetes.default.svc.cluster.local.');
  });

  it('asks for plain HTTP, for as long as it is told, and follows nobody', async () => {
    await start(planOf(http));

    const call = calls().find((line) => line.startsWith('curl -q '));
    for (const option of ['--max-time 1', '--max-redirs 0', '--proto =http', '--noproxy *', '--globoff']) {
      expect(call).toContain(option);
    }
  });

  it('does not wait for a resolver that never answers', async () => {
    fake('timeout', `exec ${realTimeout} "$@"`);
    fake('getent', hold);
    fake('nslookup', hold);

    await start(planOf({ ...named, mode: 'converge' }, tcp));

    const result = resultOf([0, 1]);
    expect(result?.observations.get(0)).toMatchObject({ outcome: 'NameNotResolved', attempts: 1 });
    expect(result?.observations.get(1)).toMatchObject({ outcome: 'Connected' });
    expect(result?.resolverAnswered).toBe(false);
  }, 20_000);

  const texts =
    '$(>canary) `>canary` ;>canary; &>canary& |>canary >canary \'>canary\' "$(>canary)" ${x:=$(>canary)} ' +
    '* ~ -e --output=canary @canary \\n1\\c %s%n $POSTERN_NONCE';
  it.each(texts.split(' '))('takes %j for data in every field, and spares other checks', async (text) => {
    fake('getent', `echo "10.0.0.9 STREAM ${text.replaceAll(/["$`\\]/g, '\\$&')}"`);
    const fields = [`- 1 ${text} ${text} /${text}`, `10.0.0.1 1 ${text} ${text} ${text}`, `${text} ${text} - - -`];
    const hostile = fields.map((rest, index) => `${2 + index} guard http ${rest}`);

    await start([planOf(http, tcp), ...hostile].join('\n'));

    const result = resultOf([0, 1, 2, 3, 4]);
    expect(result?.observations.get(0)).toMatchObject({ outcome: 'Connected', stage: 'http', attempts: 1 });
    expect(result?.observations.get(1)).toMatchObject({ outcome: 'Connected', stage: 'connect', attempts: 1 });
    expect(calls()).toContain(`getent ahosts ${text}`);
    expect(calls()).toContain(`nc -n -z -v -w 1 ${text} ${text}`);
    expect(calls().some((call) => call.endsWith(`--connect-to ::10.0.0.9:1 http://${text}:1/${text}`))).toBe(true);
    expect(readdirSync(directory)).not.toContain('canary');
  });

  it.each<[string, Unnumbered]>([
    ['nc', tcp],
    ['curl', http],
    ['getent', named],
    ['timeout', named],
  ])('states no more than its own failure if there is no %s', async (tool, check) => {
    rmSync(join(directory, tool));

    await start(planOf(check));

    expect(resultOf([0])?.observations.get(0)?.outcome).toBe('ProbeLost');
  });

  it.each(['nslookup', 'timeout'])('has heard nothing from its resolver if there is no %s', async (tool) => {
    rmSync(join(directory, tool));

    await start('');

    expect(resultOf([])?.resolverAnswered).toBe(false);
  });

  it.each<[string, number, Observation['outcome']]>([
    ['no such name', 2, 'NameNotResolved'],
    ["GNU's timeout", 124, 'NameNotResolved'],
    ["busybox's timeout", 143, 'NameNotResolved'],
    ['out of memory', 137, 'ProbeLost'],
    ['success without an address', 0, 'ProbeLost'],
  ])('reads %s off the status of the tool that resolves', async (_, status, outcome) => {
    fake('getent', `exit ${status}`);

    await start(planOf(named));

    expect(resultOf([0])?.observations.get(0)).toMatchObject({ outcome, stage: 'dns' });
  });

  it.each(['PLAN', 'NONCE', 'TIMEOUT_SECONDS', 'SETTLE_SECONDS'])('has no result without its %s', async (name) => {
    await start(planOf(tcp), { [`POSTERN_${name}`]: undefined });

    expect(resultOf([0])).toBeUndefined();
  });

  it('leaves neither a process nor a result behind when it is ended', async () => {
    for (const tool of ['nc', 'curl', 'getent', 'nslookup']) fake(tool, hold);

    const end = start(planOf(tcp, named));
    await vi.waitFor(() => expect(arrivals()).toBe(3), { timeout: 10_000 });
    process.kill(-(running?.pid ?? Number.NaN), 'SIGTERM');
    await end;

    expect(message()).toBe('');
  }, 20_000);
});
