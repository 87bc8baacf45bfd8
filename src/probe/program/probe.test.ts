import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { maxWeightPerPod, parseResult, type PlannedCheck, planText } from '../index.ts';

const program = fileURLToPath(new URL('probe.sh', import.meta.url));
const nonce = 'abcdefghijklmnop';

/**
 * Stand-ins for the program's tools. Each notes its arguments, one per line, and answers what the test wrote down for its
 * target: one line per attempt, the last one for all further attempts.
 */
const answerFor = `answer_for() {
  answer=
  [ -e "$1" ] || return 0
  # A directory per attempt: mkdir is atomic, whatever runs in parallel.
  n=1
  while ! mkdir "$1.attempt.$n" 2>/dev/null; do n=$((n + 1)); done
  { while read -r line && [ "$n" -gt 0 ]; do answer=$line n=$((n - 1)); done; } 2>/dev/null <"$1" || :
}`;
const tools: Readonly<Record<string, string>> = {
  nc: `#!/bin/sh
${answerFor}
printf '%s\\n' "$*" >>"$FAKES/nc.calls"
shift 5
answer_for "$FAKES/nc.$1.$2"
case $answer in
succeeded) echo "Connection to $1 $2 port [tcp/*] succeeded!" >&2; exit 0 ;;
'timed out') echo "nc: connect to $1 port $2 (tcp) timed out: Operation now in progress" >&2; exit 1 ;;
silent) exit 1 ;;
garbage) printf 'end ${nonce} A\\n0 Cc 1 1 Cc -\\n'; exit 139 ;;
*) echo "nc: connect to $1 port $2 (tcp) failed: $answer" >&2; exit 1 ;;
esac
`,
  curl: `#!/bin/sh
${answerFor}
printf '<%s>\\n' "$@" >>"$FAKES/curl.calls"
while [ "$1" != --connect-to ]; do shift; done
answer_for "$FAKES/curl.\${2#::}"
printf '%s' "\${answer#* }"
exit "\${answer%% *}"
`,
  getent: `#!/bin/sh
printf '%s\\n' "$*" >>"$FAKES/getent.calls"
cat "$FAKES/getent.$2" 2>/dev/null || exit 2
`,
  nslookup: `#!/bin/sh
cat "$FAKES/nslookup.answer"
`,
  timeout: `#!/bin/sh
shift
exec "$@"
`,
};

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postern-probe-'));
  for (const [name, text] of Object.entries(tools)) {
    writeFileSync(join(directory, name), text);
    chmodSync(join(directory, name), 0o755);
  }
  answers('nslookup.answer', ';; connection timed out; no servers could be reached');
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Writes down what a tool answers, attempt by attempt. */
function answers(target: string, ...lines: readonly string[]): void {
  writeFileSync(join(directory, target), `${lines.join('\n')}\n`);
}

function calls(tool: string): string[] {
  return readFileSync(join(directory, `${tool}.calls`), 'utf8')
    .trimEnd()
    .split('\n');
}

async function messageOf(plan: string, { settleSeconds = 0 }: { settleSeconds?: number } = {}): Promise<string> {
  const file = join(directory, 'result');
  await promisify(execFile)('/bin/sh', [program], {
    cwd: directory,
    env: {
      PATH: `${directory}:${process.env['PATH'] ?? ''}`,
      FAKES: directory,
      POSTERN_PLAN: plan,
      POSTERN_NONCE: nonce,
      POSTERN_TIMEOUT_SECONDS: '1',
      POSTERN_SETTLE_SECONDS: String(settleSeconds),
      POSTERN_RESULT_FILE: file,
    },
  });
  return readFileSync(file, 'utf8');
}

/** The line of the only check, with the time that it took replaced by `TIME`. */
async function lineOf(plan: string, options: Parameters<typeof messageOf>[1] = {}): Promise<string> {
  const message = await messageOf(plan, options);
  const [head, line = '', ...rest] = message.split('\n');
  expect([head, ...rest]).toEqual([`postern/1 ${nonce} 1`, `end ${nonce} N`, '']);
  const fields = line.split(' ');
  expect(fields[3]).toMatch(/^(0|[1-9]\d*)$/);
  return fields.with(3, 'TIME').join(' ');
}

describe('the probe program', () => {
  describe('states how an attempt to connect ended', () => {
    it.each([
      ['connected', ['succeeded'], '0 Cc 1 TIME Cc -'],
      ['refused twice', ['Connection refused'], '0 Rc 2 TIME Rc -'],
      ['timed out twice', ['timed out'], '0 Tc 2 TIME Tc -'],
      ['timed out by the kernel', ['Connection timed out'], '0 Tc 2 TIME Tc -'],
      ['no route to the host', ['No route to host'], '0 Uc 2 TIME Uc -'],
      ['no route to the network', ['Network is unreachable'], '0 Uc 2 TIME Uc -'],
      ['rejected by a socket filter', ['Operation not permitted'], '0 Uc 2 TIME Uc -'],
      ['prohibited on its way', ['Permission denied'], '0 Uc 2 TIME Uc -'],
      ['reset', ['Connection reset by peer'], '0 Xc 2 TIME Xc -'],
      ['a tool that says nothing', ['silent'], '0 Ec 2 TIME Ec -'],
      ['a tool that talks like the program itself', ['garbage'], '0 Ec 2 TIME Ec -'],
      ['first silent, then connected', ['timed out', 'succeeded'], '0 Cc 2 TIME Tc -'],
      ['first refused, then silent', ['Connection refused', 'timed out'], '0 Rc 2 TIME Tc -'],
      ['first silent, then refused', ['timed out', 'Connection refused'], '0 Rc 2 TIME Tc -'],
      ['first a failed tool, then silent', ['garbage', 'timed out'], '0 Ec 2 TIME Tc -'],
      ['first silent, then a failed tool', ['timed out', 'silent'], '0 Ec 2 TIME Tc -'],
    ])('of a Deny: %s', async (_, attempts, line) => {
      answers('nc.10.0.0.1.80', ...attempts);

      expect(await lineOf('0 guard tcp 10.0.0.1 80 - - -')).toBe(line);
    });

    it.each([
      ['connected and confirmed', ['succeeded'], '7 Cc 2 TIME Cc -'],
      ['first silent, then connected and confirmed', ['timed out', 'succeeded'], '7 Cc 3 TIME Tc -'],
      ['connected, lost, connected twice', ['succeeded', 'timed out', 'succeeded'], '7 Cc 4 TIME Cc -'],
    ])('of an Allow: %s', async (_, attempts, line) => {
      answers('nc.10.0.0.1.80', ...attempts);

      expect(await lineOf('7 converge tcp 10.0.0.1 80 - - -', { settleSeconds: 2 })).toBe(line);
    });

    it('of an Allow that is refused until the settling time is over', async () => {
      answers('nc.10.0.0.1.80', 'Connection refused');

      const line = await lineOf('7 converge tcp 10.0.0.1 80 - - -', { settleSeconds: 1 });

      expect(line).toMatch(/^7 Rc [2-9] TIME Rc -$/);
    });

    it.each([
      ['silence', ['timed out', 'timed out', 'succeeded'], / 2 (\d+) Tc -$/],
      ['a refusal', ['Connection refused'], / 2 (\d+) Rc -$/],
    ])('of a Deny that met %s, looked at again when the settling time is over', async (_, attempts, rest) => {
      answers('nc.10.0.0.1.80', ...attempts);

      const message = await messageOf('0 guard tcp 10.0.0.1 80 - - -', { settleSeconds: 1 });

      const [, centiseconds] = rest.exec(message.split('\n')[1] ?? '') ?? [];
      expect(Number(centiseconds)).toBeGreaterThanOrEqual(100);
      expect(calls('nc')).toHaveLength(2);
    });

    it('of a Deny that was blocked for a moment only: it connected', async () => {
      answers('nc.10.0.0.1.80', 'timed out', 'succeeded');

      expect(await lineOf('0 guard tcp 10.0.0.1 80 - - -', { settleSeconds: 1 })).toBe('0 Cc 2 TIME Tc -');
    });

    it.each([
      ['closed at once', ['timed out'], '3 Tc 2 TIME Tc -'],
      ['closed late', ['succeeded', 'succeeded', 'Connection refused'], '3 Rc 4 TIME Cc -'],
      [
        'closed in two ways before it is in one',
        ['succeeded', 'timed out', 'Connection refused', 'timed out'],
        '3 Tc 5 TIME Cc -',
      ],
      ['closed for a moment', ['succeeded', 'timed out', 'succeeded', 'timed out'], '3 Tc 5 TIME Cc -'],
    ])('of a door that calibration waits for: %s', async (_, attempts, line) => {
      answers('nc.10.0.0.1.80', ...attempts);

      expect(await lineOf('3 seal tcp 10.0.0.1 80 - - -', { settleSeconds: 5 })).toBe(line);
    });

    it.each([
      ['stays open', ['succeeded'], /^3 Cc [2-9] TIME Cc -$/],
      [
        'is never closed twice alike',
        ['timed out', 'Connection refused', 'timed out', ...Array<string>(40).fill('succeeded')],
        /^3 Cc \d+ TIME Tc -$/,
      ],
    ])('of a door that %s until the settling time is over', async (_, attempts, line) => {
      answers('nc.10.0.0.1.80', ...attempts);

      expect(await lineOf('3 seal tcp 10.0.0.1 80 - - -', { settleSeconds: 1 })).toMatch(line);
    });

    it('counts the time of an Allow to its first success, not to the confirmation', async () => {
      answers('nc.10.0.0.1.80', 'succeeded');
      answers('curl.10.0.0.1:80', '0 200');
      // The second answer comes late.
      const slow = `#!/bin/sh\n[ -e "$FAKES/asked" ] && sleep 1\n: >"$FAKES/asked"\nprintf 200\n`;
      writeFileSync(join(directory, 'curl'), slow);

      const [, line = ''] = (await messageOf('0 converge http 10.0.0.1 80 - - /')).split('\n');

      expect(line).toMatch(/^0 Ch 2 \d{1,2} Ch 200$/);
    });

    it('of an Allow that fails and may not settle', async () => {
      answers('nc.10.0.0.1.80', 'timed out');

      expect(await lineOf('7 converge tcp 10.0.0.1 80 - - -')).toBe('7 Tc 1 TIME Tc -');
    });
  });

  it('dials addresses without looking them up, and waits no longer than it is told', async () => {
    answers('nc.fd00::1.5432', 'succeeded');

    await lineOf('0 guard tcp fd00::1 5432 - - -');

    expect(calls('nc')).toEqual(['-n -z -v -w 1 fd00::1 5432']);
  });

  describe('asks for HTTP answers', () => {
    it.each([
      ['200 by default', '-', '0 200', '0 Ch 2 TIME Ch 200'],
      ['399 by default', '-', '0 399', '0 Ch 2 TIME Ch 399'],
      ['400 by default', '-', '0 400', '0 Mh 1 TIME Mh 400'],
      ['199 by default', '-', '0 199', '0 Mh 1 TIME Mh 199'],
      ['a listed status', '403,503', '0 503', '0 Ch 2 TIME Ch 503'],
      ['a status that is not listed', '403,503', '0 200', '0 Mh 1 TIME Mh 200'],
      ['a status that only resembles a listed one', '2001,1200', '0 200', '0 Mh 1 TIME Mh 200'],
      ['a body that never ends after an expected status', '-', '28 200', '0 Ch 2 TIME Ch 200'],
      ['no answer in time', '-', '28 000', '0 Th 1 TIME Th -'],
      ['an empty reply', '-', '52 000', '0 Xh 1 TIME Xh -'],
      ['a reset', '-', '56 000', '0 Xh 1 TIME Xh -'],
      ['a listener that went away', '-', '7 000', '0 Rc 1 TIME Rc -'],
      ['an answer that is no HTTP', '-', '1 000', '0 Eh 1 TIME Eh -'],
      ['no curl', '-', '127 -', '0 Eh 1 TIME Eh -'],
    ])('and judges %s', async (_, expected, answer, line) => {
      answers('nc.10.0.0.1.8080', 'succeeded');
      answers('curl.10.0.0.1:8080', answer);

      expect(await lineOf(`0 converge http 10.0.0.1 8080 - ${expected} /`)).toBe(line);
    });

    it('only where a connection stands', async () => {
      answers('nc.10.0.0.1.8080', 'timed out');

      await lineOf('0 converge http 10.0.0.1 8080 - - /');

      expect(existsSync(join(directory, 'curl.calls'))).toBe(false);
    });

    it('and keeps an answer that must not come, whatever it is', async () => {
      answers('nc.10.0.0.1.8080', 'succeeded', 'timed out');
      answers('curl.10.0.0.1:8080', '0 403');

      expect(await lineOf('0 guard http 10.0.0.1 8080 - - /')).toBe('0 Mh 1 TIME Mh 403');
    });

    it.each([
      ['http', '10.0.0.1', '-', 'http://10.0.0.1:8080/a?b=c', '::10.0.0.1:8080'],
      ['http', 'fd00::1', '-', 'http://[fd00::1]:8080/a?b=c', '::[fd00::1]:8080'],
      ['http', '10.0.0.1', 'api.shop.svc', 'http://api.shop.svc:8080/a?b=c', '::10.0.0.1:8080'],
      ['https', 'fd00::1', 'api.shop.svc', 'https://api.shop.svc:8080/a?b=c', '::[fd00::1]:8080'],
    ])('by %s of %s as %s', async (scheme, address, host, url, connectTo) => {
      answers(`nc.${address}.8080`, 'succeeded');
      answers(`curl.${address.includes(':') ? `[${address}]` : address}:8080`, '0 404');

      await lineOf(`0 converge ${scheme} ${address} 8080 ${host} - /a?b=c`);

      const [first, ...rest] = calls('curl');
      expect(first).toBe('<-q>');
      expect(rest).toContain(`<${url}>`);
      expect(rest).toContain(`<${connectTo}>`);
      expect(rest).toContain(`<=${scheme}>`);
    });

    it.each([
      ['a TLS handshake that fails', '35 0.000000 000', '0 St 1 TIME St -'],
      ['a TLS handshake that hangs', '28 0.000000 000', '0 Tt 1 TIME Tt -'],
      ['silence after the handshake', '28 0.012000 000', '0 Th 1 TIME Th -'],
      ['a reset after the handshake', '56 0.012000 000', '0 Xh 1 TIME Xh -'],
      ['an answer', '0 0.012000 200', '0 Ch 2 TIME Ch 200'],
    ])('and judges %s over HTTPS', async (_, answer, line) => {
      answers('nc.10.0.0.1.443', 'succeeded');
      answers('curl.10.0.0.1:443', answer);

      expect(await lineOf('0 converge https 10.0.0.1 443 - - /')).toBe(line);
    });
  });

  describe('resolves host names', () => {
    it('and says which address it dialled', async () => {
      answers('getent.db.example', '10.0.0.9 STREAM db.example', '10.0.0.9 DGRAM', '10.0.0.8 STREAM');
      answers('nc.10.0.0.9.5432', 'timed out');
      answers('nc.10.0.0.8.5432', 'timed out');

      expect(await lineOf('0 guard tcp - 5432 db.example - -')).toBe('0 Tc 2 TIME Tc 10.0.0.9');
      expect(calls('getent')).toEqual(['ahosts db.example', 'ahosts db.example']);
    });

    it('and dials the next address where one fails, as clients do', async () => {
      answers('getent.db.example', 'fd00::9 STREAM db.example', '10.0.0.8 STREAM', '10.0.0.8 DGRAM');
      answers('nc.fd00::9.5432', 'timed out');
      answers('nc.10.0.0.8.5432', 'succeeded');

      expect(await lineOf('0 guard tcp - 5432 db.example - -')).toBe('0 Cc 1 TIME Cc 10.0.0.8');
    });

    it('and keeps what is not silence of several addresses', async () => {
      answers('getent.db.example', '10.0.0.9 STREAM db.example', '10.0.0.8 STREAM', '10.0.0.7 STREAM');
      answers('nc.10.0.0.9.5432', 'timed out');
      answers('nc.10.0.0.8.5432', 'Connection refused');
      answers('nc.10.0.0.7.5432', 'timed out');

      expect(await lineOf('0 guard tcp - 5432 db.example - -')).toBe('0 Rc 2 TIME Rc 10.0.0.8');
    });

    it('and dials none where one of its addresses is forbidden', async () => {
      answers('getent.db.example', '10.0.0.9 STREAM db.example', '169.254.169.254 STREAM');

      expect(await lineOf('0 guard tcp - 5432 db.example - -')).toBe('0 Fd 2 TIME Fd 169.254.169.254');
      expect(existsSync(join(directory, 'nc.calls'))).toBe(false);
    });

    it('and tells a name that does not resolve from silence', async () => {
      expect(await lineOf('0 guard tcp - 5432 no.example - -')).toBe('0 Nd 2 TIME Nd -');
    });

    it('and sends the name to a virtual host', async () => {
      answers('getent.web.example', '10.0.0.9 STREAM web.example');
      answers('nc.10.0.0.9.80', 'succeeded');
      answers('curl.10.0.0.9:80', '0 200');

      expect(await lineOf('0 converge http - 80 web.example - /')).toBe('0 Ch 2 TIME Ch 200');
      expect(calls('curl')).toContain('<http://web.example:80/>');
    });

    it.each([
      '127.0.0.1',
      '127.8.8.8',
      '0.0.0.0',
      '169.254.169.254',
      '224.0.0.1',
      '239.255.255.255',
      '255.255.255.255',
      '::',
      '::1',
      'fe80::1',
      'feb0::1',
      'ff02::1',
      '::ffff:127.0.0.1',
      '::ffff:169.254.169.254',
      '::ffff:0.0.0.0',
      '::ffff:224.0.0.1',
      '100.100.100.200',
      '168.63.129.16',
      '192.0.0.192',
      'fd00:ec2::254',
      '64:ff9b::a9fe:a9fe',
    ])('and does not dial %s', async (address) => {
      answers('getent.rebound.example', `${address} STREAM rebound.example`);

      expect(await lineOf('0 guard tcp - 80 rebound.example - -')).toBe(`0 Fd 2 TIME Fd ${address}`);
      expect(existsSync(join(directory, 'nc.calls'))).toBe(false);
    });

    it.each(['10.0.0.1', '100.127.0.1', '169.253.0.1', '223.255.0.1', '240.0.0.1', 'fd00::1', '2001:db8:ff02::1'])(
      'and dials %s',
      async (address) => {
        answers('getent.any.example', `${address} STREAM any.example`);
        answers(`nc.${address}.80`, 'succeeded');

        expect(await lineOf('0 guard tcp - 80 any.example - -')).toBe(`0 Cc 1 TIME Cc ${address}`);
      },
    );
  });

  describe('asks its resolver for a sign of life', () => {
    it.each([
      ['an address', ['Server:\t10.96.0.10', 'Name:\tkubernetes.default.svc.cluster.local', 'Address: 10.96.0.1'], 'A'],
      ['no such name', ["** server can't find kubernetes.default.svc.cluster.local.: NXDOMAIN"], 'A'],
      ['a failing server', [';; Got SERVFAIL reply from 10.96.0.10'], 'A'],
      ['a refusing server', ["** server can't find kubernetes.default.svc.cluster.local: REFUSED"], 'A'],
      ['no answer in time', [';; connection timed out; no servers could be reached'], 'N'],
      [
        'a closed port',
        [';; communications error to 10.96.0.10#53: connection refused', 'no servers could be reached'],
        'N',
      ],
      ['nothing', [], 'N'],
    ])('and takes %s for what it is', async (_, output, letter) => {
      answers('nslookup.answer', ...output);

      expect(await messageOf('')).toBe(`postern/1 ${nonce} 0\nend ${nonce} ${letter}\n`);
    });
  });

  it('runs as many checks as a pod may have at once, and fits their result into a termination message', async () => {
    const checks = Array.from({ length: maxWeightPerPod }, (_, index): PlannedCheck => ({
      id: 900 + index,
      mode: index % 2 === 0 ? 'guard' : 'converge',
      address: `10.1.2.${index}`,
      port: 65_535,
    }));
    for (const { address, port } of checks) answers(`nc.${address}.${port}`, 'timed out');

    const message = await messageOf(planText(checks));

    const result = parseResult(
      message,
      nonce,
      checks.map(({ id }) => id),
    );
    expect(result?.observations.size).toBe(maxWeightPerPod);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(4096);
    expect(message).toMatch(/^[\x20-\x7e\n]+$/);
  });

  it('never evaluates what its plan says', async () => {
    const hostile = '/$(touch${IFS}pwned)`touch${IFS}pwned`;touch${IFS}pwned&*?"\'\\n%s$PATH';
    answers('nc.10.0.0.1.80', 'succeeded');
    answers('curl.10.0.0.1:80', '0 404');

    await lineOf(`0 converge http 10.0.0.1 80 $(id)* - ${hostile}`);

    expect(calls('curl')).toContain(`<http://$(id)*:80${hostile}>`);
    expect(readdirSync(directory)).not.toContain('pwned');
  });

  it.each(['$(touch pwned)', '`touch pwned`', '* * * * * * * *', '"', "'", '-e /bin/sh', '\\', 'end x A'])(
    'does not break out of a plan that says %j',
    async (text) => {
      const message = await messageOf(`${text}\n0 guard tcp ${text} 80 ${text} ${text} ${text}`);

      expect(parseResult(message, nonce, [0])).toBeUndefined();
      expect(readdirSync(directory)).not.toContain('pwned');
    },
  );
});
