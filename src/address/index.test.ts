import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, blockContains, blockOf, isStrictlyWithin } from './index.ts';

describe('addressOf', () => {
  it.each<[string, 4 | 6, bigint]>([
    ['10.0.0.1', 4, 0x0a000001n],
    ['010.000.000.001', 4, 0x0a000001n],
    ['255.255.255.255', 4, 0xffffffffn],
    ['::', 6, 0n],
    ['2001:db8::1', 6, 0x20010db8000000000000000000000001n],
    ['2001:DB8:0:0:0:0:0:1', 6, 0x20010db8000000000000000000000001n],
    ['::ffff:10.0.0.1', 4, 0x0a000001n],
    ['::ffff:a00:1', 4, 0x0a000001n],
    ['::ffff:010.0.0.1', 4, 0x0a000001n],
  ])('reads %s', (text, family, value) => {
    expect(addressOf(text)).toEqual({ family, value });
  });

  it.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.1/8',
    '12345',
    '0x0a.0.0.1',
    'fe80::1%eth0',
    '1::2::3',
    'web',
    ' 10.0.0.1',
  ])('refuses %j', (text) => {
    expect(addressOf(text)).toBeUndefined();
  });
});

describe('blockOf', () => {
  it.each<[string, string, boolean]>([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.5/24', '10.0.0.200', true],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', 'ffff::', true],
    ['::/0', '10.0.0.1', false],
    ['::/0', '::ffff:10.0.0.1', false],
    ['::ffff:10.0.0.0/104', '10.9.9.9', true],
    ['10.0.0.1/32', '10.0.0.1', true],
    ['10.0.0.1/32', '10.0.0.2', false],
    ['2001:db8::/33', '2001:db8:8000::', false],
  ])('%s and %s', (block, address, contains) => {
    const [parsed, member] = [blockOf(block), addressOf(address)];

    expect(parsed !== undefined && member !== undefined && blockContains(parsed, member)).toBe(contains);
  });

  it.each(['', '10.0.0.1', '10.0.0.0/33', '::/129', '10.0.0.0/-1', '10.0.0.0/08x', '::ffff:10.0.0.0/95', '/8', 'x/8'])(
    'refuses %j',
    (text) => {
      expect(blockOf(text)).toBeUndefined();
    },
  );

  it('contains an address exactly if the leading bits are the same', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.nat({ max: 32 }), (start, text, prefix) => {
        const bits = (address: string) =>
          address
            .split('.')
            .map((part) => Number(part).toString(2).padStart(8, '0'))
            .join('');
        const [block, address] = [blockOf(`${start}/${prefix}`), addressOf(text)];

        expect(block !== undefined && address !== undefined && blockContains(block, address)).toBe(
          bits(start).slice(0, prefix) === bits(text).slice(0, prefix),
        );
      }),
    );
  });
});

describe('isStrictlyWithin', () => {
  it.each<[string, string, boolean]>([
    ['10.1.0.0/16', '10.0.0.0/8', true],
    ['10.0.0.0/8', '10.0.0.0/8', false],
    ['10.0.0.0/7', '10.0.0.0/8', false],
    ['11.0.0.0/16', '10.0.0.0/8', false],
    ['::/64', '0.0.0.0/0', false],
  ])('%s in %s', (inner, outer, within) => {
    const [a, b] = [blockOf(inner), blockOf(outer)];

    expect(a !== undefined && b !== undefined && isStrictlyWithin(a, b)).toBe(within);
  });
});
