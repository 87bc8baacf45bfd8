import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { checkWeight, type PlannedCheck, planText } from './index.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const plain: PlannedCheck = { id: 3, mode: 'guard', address: '10.0.0.1', port: 5432 };

describe('planText', () => {
  it.each<[string, PlannedCheck, string]>([
    ['an address', plain, '3 guard tcp 10.0.0.1 5432 - - -'],
    ['an IPv6 address', { ...plain, address: 'fd00::1' }, '3 guard tcp fd00::1 5432 - - -'],
    ['a host name', { id: 0, mode: 'converge', port: 443, host: 'db.example' }, '0 converge tcp - 443 db.example - -'],
    [
      'HTTP by a virtual host',
      { ...plain, host: 'api.shop.svc', http: { path: '/a?b=$(c)', status: [200, 204] } },
      '3 guard http 10.0.0.1 5432 api.shop.svc 200,204 /a?b=$(c)',
    ],
    ['HTTP with any good status', { ...plain, http: { path: '/' } }, '3 guard http 10.0.0.1 5432 - - /'],
  ])('writes a check of %s as one line', (_, check, line) => {
    expect(planText([check])).toBe(line);
  });

  it('writes one line per check', () => {
    expect(planText([plain, { ...plain, id: 4 }]).split('\n')).toHaveLength(2);
    expect(planText([])).toBe('');
  });

  it.each<[string, PlannedCheck]>([
    ['an address that is an option', { ...plain, address: '-e' }],
    ['an address with a zone', { ...plain, address: 'fe80::1%eth0' }],
    ['an address in octal', { ...plain, address: '010.0.0.1' }],
    ['an address that is a number', { ...plain, address: '1' }],
    ['a range for an address', { ...plain, address: '10.0.0.0/8' }],
    ['an empty address', { ...plain, address: '' }],
    ['a host that is a number', { ...plain, host: '2130706433' }],
    ['a host that ends in a number', { ...plain, host: '0177.0.0.1' }],
    ['a host that ends in a hexadecimal one', { ...plain, host: 'a.0x7F.' }],
    ['a host that is an option', { ...plain, host: '-v' }],
    ['a host with a blank', { ...plain, host: 'a b' }],
    ['a host with a line break', { ...plain, host: 'a\n4' }],
    ['a host with a trailing line break', { ...plain, host: 'a\n' }],
    ['an empty host', { ...plain, host: '' }],
    ['a path that names another host', { ...plain, http: { path: '@metadata.example/' } }],
    ['a path with a quote', { ...plain, http: { path: "/'" } }],
    ['an empty path', { ...plain, http: { path: '' } }],
    ['no status at all', { ...plain, http: { path: '/', status: [] } }],
    ['a fraction of a port', { ...plain, port: 1.5 }],
    ['a negative port', { ...plain, port: -1 }],
    ['a port that is no number', { ...plain, port: Number.NaN }],
  ])('refuses %s', (_, check) => {
    expect(() => planText([check])).toThrow('a probe plan cannot hold');
  });

  it('never holds more lines than checks or more fields than places, whatever the checks say', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^[/$()`'" \n\t*a-z]{1,12}$/));
    const check = fc.record<PlannedCheck>(
      {
        id: fc.nat(),
        mode: fc.constantFrom('guard', 'converge', 'seal'),
        port: fc.oneof(fc.nat(), fc.double()),
        address: fc.oneof(text, fc.ipV4(), fc.ipV6()),
        host: fc.oneof(text, fc.domain()),
        http: fc.record(
          { path: fc.oneof(text, fc.webPath()), status: fc.array(fc.oneof(fc.nat(), fc.double())) },
          { requiredKeys: ['path'] },
        ),
      },
      { requiredKeys: ['id', 'mode', 'port'] },
    );
    fc.assert(
      fc.property(fc.array(check, { maxLength: 4 }), (checks) => {
        let plan: string;
        try {
          plan = planText(checks);
        } catch {
          return;
        }

        const lines = plan === '' ? [] : plan.split('\n');

        expect(lines).toHaveLength(checks.length);
        for (const line of lines) expect(line).toMatch(/^\d+ (guard|converge|seal) (tcp|http)( [\x21-\x7e]+){5}$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('checkWeight', () => {
  it.each<[string, PlannedCheck, number]>([
    ['an address is the lightest', plain, 1],
    ['a name needs a resolver too', { id: 1, mode: 'guard', port: 1, host: 'a' }, 3],
    ['HTTP needs curl', { ...plain, http: { path: '/' } }, 4],
  ])('%s', (_, check, weight) => {
    expect(checkWeight(check)).toBe(weight);
  });
});
