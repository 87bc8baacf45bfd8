import * as fc from 'fast-check';
import { isIP } from 'node:net';
import { describe, expect, it } from 'vitest';
import { confusing, special } from '../testing/addresses.ts';
import { isAddress, specialAddress } from './address.ts';

describe('isAddress', () => {
  it.each(confusing)('does not take %j for an address', (text) => {
    expect(isAddress(text)).toBe(false);
  });

  it.each(['1.2.3.4', '::', 'fd00::1', 'FD00::1', '::ffff:1.2.3.4', '::1.2.3.4', '64:ff9b::1.2.3.4', '0:0::0'])(
    'takes %j for one',
    (text) => {
      expect(isAddress(text)).toBe(true);
    },
  );

  it('agrees with the socket library on anything without a zone', () => {
    const part = fc.constantFrom(
      '0',
      '00',
      '1',
      '010',
      '255',
      '256',
      '0x7f',
      'fe80',
      'ffff',
      '10000',
      '',
      'g',
      '１',
      '%',
      ' ',
    );
    const mixed = fc
      .array(fc.tuple(part, fc.constantFrom('.', ':', '::', '')), { maxLength: 9 })
      .map((parts) => parts.flat().join(''));
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV4Extended(), fc.ipV6(), mixed, fc.string()), (text) => {
        expect(isAddress(text)).toBe(isIP(text) !== 0 && !text.includes('%'));
      }),
      { numRuns: 5000 },
    );
  });
});

describe('specialAddress', () => {
  it.each(special)('takes %s for %s', (address, kind) => {
    expect(specialAddress(address)).toBe(kind);
  });

  it.each([
    '10.0.0.1',
    '100.127.0.1',
    '169.253.0.1',
    '223.255.0.1',
    '240.0.0.1',
    '128.0.0.1',
    '1.127.0.0',
    'fd00::1',
    'fe00::1',
    'fec0::1',
    '2001:db8:ff02::1',
    '64:ff9b::a00:1',
    '64:ff9b:1::7f00:1',
    '::a00:1',
    '::ffff:10.0.0.1',
    '100.100.100.201',
    'fd00:ec2::253',
  ])('takes %s for an address like any other', (address) => {
    expect(specialAddress(address)).toBeUndefined();
  });

  it.each(confusing)('knows nothing about %j, which is no address', (text) => {
    expect(specialAddress(text)).toBeUndefined();
  });
});
