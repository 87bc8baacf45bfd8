import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type Observation, parseResult, type ProbeResult } from './index.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const nonce = 'abcdefghijklmnop';

const letters = {
  Connected: 'C',
  Refused: 'R',
  TimedOut: 'T',
  Unreachable: 'U',
  Reset: 'X',
  NameNotResolved: 'N',
  HTTPMismatch: 'M',
  AddressNotAllowed: 'F',
  ProbeLost: 'E',
} as const;
const outcomes = fc.constantFrom(
  'Connected',
  'Refused',
  'TimedOut',
  'Unreachable',
  'Reset',
  'NameNotResolved',
  'HTTPMismatch',
  'AddressNotAllowed',
  'ProbeLost',
);

const detail = fc.oneof(
  fc.constant({}),
  fc.integer({ min: 100, max: 599 }).map((httpStatus) => ({ httpStatus })),
  fc.oneof(fc.ipV4(), fc.ipV6()).map((address) => ({ address })),
);
const statement = fc.record({
  outcome: outcomes,
  firstOutcome: outcomes,
  stage: fc.constantFrom('dns', 'connect', 'http'),
  attempts: fc.integer({ min: 1, max: 9999 }),
  centiseconds: fc.nat(9_999_999),
  detail,
});
type Statement = typeof statement extends fc.Arbitrary<infer T> ? T : never;

const result = fc.record({
  statements: fc
    .uniqueArray(fc.tuple(fc.nat(9999), statement), { selector: ([id]) => id, maxLength: 12 })
    .map((entries) => new Map<number, Statement>(entries)),
  resolverAnswered: fc.boolean(),
  nonce: fc.stringMatching(/^[a-p]{16}$/),
});
type Result = typeof result extends fc.Arbitrary<infer T> ? T : never;

/** The message as program/probe.sh writes it. */
function messageOf({ statements, resolverAnswered, nonce: own }: Result): string {
  const lines = [...statements].map(([id, { outcome, firstOutcome, stage, attempts, centiseconds, detail: facts }]) => {
    const word = 'httpStatus' in facts ? facts.httpStatus : 'address' in facts ? facts.address : '-';
    return `${id} ${letters[outcome]}${stage.charAt(0)} ${attempts} ${centiseconds} ${letters[firstOutcome]}c ${word}\n`;
  });
  return `postern/1 ${own} ${statements.size}\n${lines.join('')}end ${own} ${resolverAnswered ? 'A' : 'N'}\n`;
}

function observationOf({
  outcome,
  firstOutcome,
  stage,
  attempts,
  centiseconds,
  detail: facts,
}: Statement): Observation {
  return { outcome, firstOutcome, stage, attempts, elapsedMs: centiseconds * 10, ...facts };
}

describe('parseResult', () => {
  it('yields exactly what the probe stated, in any order', () => {
    fc.assert(
      fc.property(result, (sent) => {
        const ids = [...sent.statements.keys()].toSorted((a, b) => a - b);

        expect(parseResult(messageOf(sent), sent.nonce, ids)).toEqual({
          observations: new Map([...sent.statements].map(([id, said]) => [id, observationOf(said)])),
          resolverAnswered: sent.resolverAnswered,
        });
      }),
    );
  });

  const refused = (name: string, mangle: (message: string, sent: Result, dice: fc.GeneratorValue) => string): void => {
    it(`yields nothing for a message ${name}`, () => {
      fc.assert(
        fc.property(result, fc.gen(), (sent, dice) => {
          const message = messageOf(sent);
          const mangled = mangle(message, sent, dice);
          fc.pre(mangled !== message);

          expect(parseResult(mangled, sent.nonce, [...sent.statements.keys()])).toBeUndefined();
        }),
        { numRuns: 100 },
      );
    });
  };
  const place = (text: string, dice: fc.GeneratorValue): number => dice(fc.nat, text.length);

  refused('that lost its end', (message, _, dice) => message.slice(0, place(message, dice)));
  refused('that lost its beginning', (message, _, dice) => message.slice(place(message, dice)));
  refused('that lost a piece of its middle', (message, _, dice) => {
    const lines = message.split('\n');
    return lines.toSpliced(dice(fc.nat, lines.length - 1), 1).join('\n');
  });
  refused('with a line twice', (message, _, dice) => {
    const lines = message.split('\n');
    const index = dice(fc.nat, lines.length - 1);
    return lines.toSpliced(index, 0, lines[index] ?? '').join('\n');
  });
  refused('that comes twice', (message) => message + message);
  refused('after other output', (message, _, dice) => `${dice(() => fc.string({ minLength: 1 }))}${message}`);
  refused('before other output', (message, _, dice) => `${message}${dice(() => fc.string({ minLength: 1 }))}`);
  refused('of another run', (_, sent, dice) =>
    messageOf({ ...sent, nonce: dice(() => fc.stringMatching(/^[a-p]{16}$/)) }),
  );
  refused('with another nonce at its end only', (message, { nonce: own }, dice) =>
    message.replace(`end ${own}`, `end ${dice(() => fc.stringMatching(/^[a-p]{16}$/))}`),
  );
  refused('with another nonce at its beginning only', (message, { nonce: own }, dice) =>
    message.replace(`postern/1 ${own}`, `postern/1 ${dice(() => fc.stringMatching(/^[a-p]{16}$/))}`),
  );
  refused('with carriage returns', (message) => message.replaceAll('\n', '\r\n'));

  it('yields nothing for a message about other checks than it was asked for', () => {
    fc.assert(
      fc.property(result, fc.uniqueArray(fc.nat(9999), { maxLength: 12 }), (sent, asked) => {
        fc.pre(asked.length !== sent.statements.size || asked.some((id) => !sent.statements.has(id)));

        expect(parseResult(messageOf(sent), sent.nonce, asked)).toBeUndefined();
      }),
    );
  });

  it('yields nothing for arbitrary text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(parseResult(text, nonce, [])).toBeUndefined();
      }),
    );
  });

  it.each([
    ['an outcome that is not in the vocabulary', '0 Zc 1 0 Cc -'],
    ['a first outcome that is not in the vocabulary', '0 Cc 1 0 Zc -'],
    ['a stage that is not in the vocabulary', '0 Cx 1 0 Cc -'],
    ['a detail that is no address and no status', '0 Cc 1 0 Cc hello'],
    ['an HTTP status out of range', '0 Cc 1 0 Cc 600'],
    ['an address that is only a number', '0 Cc 1 0 Cc 12345'],
    ['no detail', '0 Cc 1 0 Cc '],
    ['a negative time', '0 Cc 1 -1 Cc -'],
    ['a number in another notation', '00 Cc 1 0 Cc -'],
    ['no attempt at all', '0 Tc 0 0 Tc -'],
    ['a first stage that is not in the vocabulary', '0 Tc 2 401 Tz -'],
    ['an address with a zone', '0 Cc 1 0 Cc fe80::1%eth0'],
    ['an address in octal', '0 Cc 1 0 Cc ::ffff:010.0.0.1'],
    ['one field more', '0 Cc 1 0 Cc - -'],
    ['an empty line', ''],
  ])('yields nothing for %s', (_, line) => {
    expect(parseResult(`postern/1 ${nonce} 1\n${line}\nend ${nonce} A\n`, nonce, [0])).toBeUndefined();
  });

  it.each([
    ['an address alone', '0 Tc 2 401 Tc 10.0.0.1', { address: '10.0.0.1' }],
    ['an IPv6 address', '0 Tc 2 401 Tc fd00::1', { address: 'fd00::1' }],
    ['a status', '0 Tc 2 401 Tc 503', { httpStatus: 503 }],
    ['nothing', '0 Tc 2 401 Tc -', {}],
  ])('reads %s as the detail', (_, line, facts) => {
    expect(parseResult(`postern/1 ${nonce} 1\n${line}\nend ${nonce} N\n`, nonce, [0])).toEqual({
      observations: new Map([
        [
          0,
          { outcome: 'TimedOut', stage: 'connect', firstOutcome: 'TimedOut', attempts: 2, elapsedMs: 4010, ...facts },
        ],
      ]),
      resolverAnswered: false,
    });
  });

  /** The message that says what was read, which is the message itself where nothing was made up or left out. */
  function restated({ observations, resolverAnswered }: ProbeResult, message: string): string {
    const stages = [...message.matchAll(/ [A-Z]([a-z]) \S+$/gm)].map(([, stage]) => stage);
    const letterOf = new Map<string, string>(Object.entries({ ...letters, TLSFailed: 'S', NameServerFailed: 'D' }));
    const lines = [...observations].map(([id, seen], index) => {
      const { outcome, stage, attempts, elapsedMs, firstOutcome, httpStatus, address } = seen;
      const first = `${letterOf.get(firstOutcome)}${stages[index]}`;
      return `${id} ${letterOf.get(outcome)}${stage.charAt(0)} ${attempts} ${elapsedMs / 10} ${first} ${httpStatus ?? address ?? '-'}\n`;
    });
    return `postern/1 ${nonce} ${observations.size}\n${lines.join('')}end ${nonce} ${resolverAnswered ? 'A' : 'N'}\n`;
  }

  /** What can happen to the bytes of a message on their way, or at the hands of somebody who may write a pod's status. */
  const hand = fc.record({
    at: fc.nat(),
    length: fc.nat(80),
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc
        .constantFrom(
          `end ${nonce} A\n`,
          `postern/1 ${nonce} 1\n`,
          '0 Cc 1 1 Cc -\n',
          '0',
          '99999999999',
          '-',
          '\0',
          '\r',
          '\u2028',
        )
        .map((text) => Buffer.from(text)),
    ),
    deed: fc.constantFrom('insert', 'replace', 'delete', 'repeat', 'swap'),
  });

  function mangled(
    message: Buffer,
    { at, length, bytes, deed }: typeof hand extends fc.Arbitrary<infer T> ? T : never,
  ): Buffer {
    const start = at % (message.length + 1);
    const [head, piece, tail] = [
      message.subarray(0, start),
      message.subarray(start, start + length),
      message.subarray(start + length),
    ];
    switch (deed) {
      case 'insert':
        return Buffer.concat([head, bytes, piece, tail]);
      case 'replace':
        return Buffer.concat([head, bytes, message.subarray(start + bytes.length)]);
      case 'delete':
        return Buffer.concat([head, tail]);
      case 'repeat':
        return Buffer.concat([head, piece, piece, tail]);
      case 'swap':
        return Buffer.concat([tail, piece, head]);
    }
  }

  it('reads exactly what a message says, or nothing, whatever happened to its bytes', () => {
    let read = 0;
    fc.assert(
      fc.property(result, fc.array(hand, { minLength: 1, maxLength: 3 }), (sent, hands) => {
        let bytes: Buffer = Buffer.from(messageOf({ ...sent, nonce }));
        for (const each of hands) bytes = mangled(bytes, each);
        const message = bytes.toString();
        const parsed = parseResult(message, nonce, [...sent.statements.keys()]);
        if (parsed === undefined) return;
        read += 1;

        expect(restated(parsed, message)).toBe(message);
      }),
      { numRuns: 3000 },
    );
    // Some changes make another message of the same form; a test that never saw one would show nothing.
    expect(read).toBeGreaterThan(0);
  });

  it('yields nothing for what is longer than the kubelet keeps', () => {
    const ids = Array.from({ length: 500 }, (_, index) => index);
    const message = `postern/1 ${nonce} 500\n${ids.map((id) => `${id} Cc 1 1 Cc -\n`).join('')}end ${nonce} A\n`;

    expect(parseResult(message, nonce, ids)).toBeUndefined();
  });

  it('yields nothing for the last 4096 bytes of a longer message', () => {
    const ids = Array.from({ length: 500 }, (_, index) => index);
    const message = `postern/1 ${nonce} 500\n${ids.map((id) => `${id} Cc 1 1 Cc -\n`).join('')}end ${nonce} A\n`;

    expect(parseResult(message.slice(-4096), nonce, ids)).toBeUndefined();
  });
});
