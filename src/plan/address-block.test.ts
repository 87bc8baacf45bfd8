import * as fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import type { AddressBlock, Expectation } from '../api/index.ts';
import { expectationOf, podOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { blockTargets, sampleOfBlock } from './address-block.ts';
import { planFor } from './plan.ts';

describe('sampleOfBlock', () => {
  it.each<[string, readonly string[], string | undefined]>([
    ['10.1.2.3/32', [], '10.1.2.3'],
    ['10.1.2.2/31', [], '10.1.2.2'],
    ['10.1.2.0/30', ['10.1.2.1/32'], '10.1.2.2'],
    [
      '10.1.2.0/24',
      [
        '10.1.2.0/25',
        '10.1.2.192/26',
        '10.1.2.128/27',
        '10.1.2.162/31',
        '10.1.2.164/30',
        '10.1.2.168/29',
        '10.1.2.176/28',
        '10.1.2.161/32',
      ],
      '10.1.2.160',
    ],
    ['10.1.2.0/24', ['10.1.2.0/24'], undefined],
    ['fd00::1/128', [], 'fd00::1'],
    ['240.0.0.0/8', [], undefined],
  ])('of %s without %j is %s', (block, except, address) => {
    expect(sampleOfBlock(block, except)).toBe(address);
  });

  it.each([
    ['0.0.0.0/0', '203.0.113.0/24'],
    ['200.0.0.0/5', '203.0.113.0/24'],
    ['::/0', '2001:db8::/32'],
  ])('of %s, which holds addresses that nobody has, is one of those', (block, nobodys) => {
    const address = sampleOfBlock(block, []) ?? '';
    expect(ipaddr.parse(address).match(ipaddr.parseCIDR(nobodys))).toBe(true);
  });

  it('is an address of the block, of no excepted part, neither the first nor the last, and the same each time', () => {
    const quad = fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 0, max: 255 })));
    const part = fc
      .tuple(quad, fc.integer({ min: 12, max: 32 }))
      .map(([bytes, prefix]) => `${bytes.join('.')}/${prefix}`);
    fc.assert(
      fc.property(quad, fc.integer({ min: 0, max: 30 }), fc.array(part, { maxLength: 8 }), (bytes, prefix, except) => {
        const block = `${bytes.join('.')}/${prefix}`;
        const address = sampleOfBlock(block, except);
        expect(sampleOfBlock(block, except)).toBe(address);
        if (address === undefined) return;
        expect(ipaddr.parse(address).match(ipaddr.parseCIDR(block))).toBe(true);
        for (const each of except) expect(ipaddr.parse(address).match(ipaddr.parseCIDR(each))).toBe(false);
        expect(address).not.toBe(ipaddr.IPv4.networkAddressFromCIDR(block).toString());
        expect(address).not.toBe(ipaddr.IPv4.broadcastAddressFromCIDR(block).toString());
        expect(['unicast', 'private', 'reserved', 'carrierGradeNat', 'benchmarking', 'as112', 'amt']).toContain(
          ipaddr.parse(address).range(),
        );
      }),
    );
  });
});

describe('a block of addresses', () => {
  const block = '203.0.113.0/24';
  const except = ['203.0.113.8/29'];

  it.each<[string, AddressBlock, Expectation['expect'], readonly string[], string]>([
    [
      'by a declared address',
      { block, sample: '203.0.113.7' },
      'Deny',
      ['guard 203.0.113.7'],
      'Of 203.0.113.0/24, 203.0.113.7 was dialled.',
    ],
    [
      'and by one of what it excepts, of which the opposite is expected',
      { block, except, sample: '203.0.113.7', exceptSample: '203.0.113.9' },
      'Deny',
      ['guard 203.0.113.7', 'converge 203.0.113.9'],
      'Of 203.0.113.0/24, 203.0.113.7 was dialled, and 203.0.113.9 of what it excepts.',
    ],
    [
      'but not by one that nobody said to answer',
      { block, except, sample: '203.0.113.7' },
      'Deny',
      ['guard 203.0.113.7'],
      'Of 203.0.113.0/24, 203.0.113.7 was dialled, and nothing of what it excepts: write an address that answers there as `exceptSample`.',
    ],
    [
      'the other way round',
      { block, except: ['203.0.113.8/32'], sample: '203.0.113.7' },
      'Allow',
      ['converge 203.0.113.7', 'guard 203.0.113.8'],
      'Of 203.0.113.0/24, 203.0.113.7 was dialled, and 203.0.113.8 of what it excepts.',
    ],
  ])('is dialled %s', (_, cidr, expect_, dialled, note) => {
    const expectation = expectationOf({ from: { pods: {} }, to: { cidr, port: 443 }, expect: expect_ });
    const { lines } = planFor(testOf([expectation]), viewOf({ pods: [podOf('web')] }));

    expect(lines[0]?.checks.map(({ mode, address }) => `${mode} ${address}`)).toEqual(dialled);
    expect(lines[0]?.notes).toEqual([note]);
  });

  it('of which nothing is left is not dialled', () => {
    expect(blockTargets({ block, except: [block] }, 443, 'Deny')).toMatchObject({ reason: 'TargetNotFound' });
  });

  it('is shown to answer by Postern itself where it must be denied, in either part', () => {
    const plan = (cidr: AddressBlock, expect_: Expectation['expect']) =>
      planFor(
        testOf([expectationOf({ from: { pods: {} }, to: { cidr, port: 443 }, expect: expect_ })]),
        viewOf({ pods: [podOf('web')] }),
        { place: { namespace: 'postern' } },
      ).lines[0]?.controls.map(({ mode, address }) => `${mode} ${address}`);

    const cidr = { block, except, sample: '203.0.113.7', exceptSample: '203.0.113.9' };
    expect(plan(cidr, 'Deny')).toEqual(['converge 203.0.113.7']);
    expect(plan(cidr, 'Allow')).toEqual(['converge 203.0.113.9']);
  });
});
