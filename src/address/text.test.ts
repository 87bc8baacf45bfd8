import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Address, addressOf, textOf } from './index.ts';

it.each([
  ['10.0.0.1', '10.0.0.1'],
  ['FD00:0EC2:0:0::254', 'fd00:ec2::254'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:0:0:2:0:0:3:4', '1::2:0:0:3:4'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
])('writes %s as %s', (text, want) => {
  const address = addressOf(text);

  expect(address && textOf(address)).toBe(want);
});

it('writes what reads back as the same address', () => {
  const six = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).filter((value) => value >> 32n !== 0xffffn);
  const address = fc.oneof(
    fc.bigInt({ min: 0n, max: 0xffffffffn }).map((value): Address => ({ family: 4, value })),
    six.map((value): Address => ({ family: 6, value })),
  );
  fc.assert(
    fc.property(address, (each) => {
      expect(addressOf(textOf(each))).toEqual(each);
    }),
  );
});
