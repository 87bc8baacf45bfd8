import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectivityTest } from '../../src/api/index.ts';
import { conditionOf, nextCalibration } from '../harness/calibration.ts';
import { readMetrics } from '../harness/metrics.ts';
import { nextRun, rowsOf } from '../harness/postern.ts';
import { connectivityTest, manifests, udpPort } from '../harness/workloads.ts';
import type { World } from '../harness/world.ts';
import { buildWorld, type Outside, startOutside } from './scene.ts';

type Family = 'IPv4' | 'IPv6';

const silent = { ingress: 'TimedOut', egress: 'TimedOut' };
/** A host name's echo, which agnhost answers. */
const payload = Buffer.from('hostname').toString('hex');

const workload = (name: string) => ({ workload: { kind: 'Deployment', name } });
const only = (family: Family | undefined): object => (family === undefined ? {} : { ipFamilies: [family] });
const toPods = (name: string, from: string, target: string, expect: 'Allow' | 'Deny', family?: Family) => ({
  name,
  from: workload(from),
  to: { ...workload(target), port: 8080 },
  expect,
  ...only(family),
});
const toService = (name: string, from: string, service: string, expect: 'Allow' | 'Deny', family?: Family) => ({
  name,
  from: workload(from),
  to: { service: { name: service }, port: 8080 },
  expect,
  ...only(family),
});

describe('on a cluster with both families of addresses', () => {
  let world: World;
  let outside: Outside;
  let test: ConnectivityTest;
  const row = (name: string) => rowsOf(test).get(name);
  const seen = (name: string): string => `${row(name)?.verdict} ${row(name)?.reason}`;
  const run = async (name: string, expectations: readonly object[]): Promise<void> => {
    await world.apply(connectivityTest(world.namespace, name, expectations));
    test = await nextRun(world.kubectl, world.namespace, name);
  };

  beforeAll(async () => {
    outside = await startOutside();
    world = await buildWorld('postern-e2e-dual-stack', outside);
    await nextCalibration(world.kubectl);
  });
  afterAll(async () => {
    await world.destroy();
    await outside.stop();
  });

  it('measures each family, and says so', async () => {
    const calibration = await nextCalibration(world.kubectl);

    expect(calibration.status?.denials).toEqual({ ipFamily: 'IPv4', tcp: silent, udp: silent });
    expect(calibration.status?.secondaryDenials).toEqual({ ipFamily: 'IPv6', tcp: silent, udp: silent });
    expect(conditionOf(calibration, 'Enforced')).toBe('True Enforced');
    const metrics = await readMetrics(world.kubectl);
    for (const family of ['IPv4', 'IPv6'])
      expect(metrics).toContain(`postern_policy_enforced{direction="ingress",protocol="TCP",family="${family}"} 1`);
  });

  describe('pods', () => {
    beforeAll(() =>
      run('pods', [
        toPods('allow', 'free', 'both', 'Allow'),
        toPods('deny', 'confined', 'both', 'Deny'),
        toPods('deny-six', 'confined', 'both', 'Deny', 'IPv6'),
        {
          ...toPods('http-six', 'free', 'both', 'Allow', 'IPv6'),
          http: { path: '/healthz', status: [200] },
        },
        {
          ...toPods('udp-six', 'free', 'both', 'Allow', 'IPv6'),
          to: { ...workload('both'), port: udpPort },
          protocol: 'UDP',
          udp: { payload },
        },
        {
          ...toPods('udp-deny-six', 'confined', 'both', 'Deny', 'IPv6'),
          to: { ...workload('both'), port: udpPort },
          protocol: 'UDP',
          udp: { payload },
        },
        toPods('ipv6-application-over-four', 'free', 'only-ipv6', 'Allow', 'IPv4'),
        toPods('ipv6-application-over-six', 'free', 'only-ipv6', 'Allow', 'IPv6'),
        toPods('ipv6-application', 'free', 'only-ipv6', 'Allow'),
        toPods('ipv4-application-over-four', 'free', 'only-ipv4', 'Allow', 'IPv4'),
        toPods('ipv4-application', 'free', 'only-ipv4', 'Allow'),
        toPods('denied-where-ipv4-answers', 'confined', 'only-ipv4', 'Deny', 'IPv4'),
        toPods('denied-where-nothing-answers', 'confined', 'only-ipv4', 'Deny', 'IPv6'),
        toPods('denied-where-half-answers', 'confined', 'only-ipv4', 'Deny'),
      ]),
    );

    it('are dialled over both', () => {
      expect(seen('allow')).toBe('Passed Reachable');
      expect(seen('http-six')).toBe('Passed Reachable');
      expect(seen('udp-six')).toBe('Passed Reachable');
    });

    it('print a command with the address as its tool wants it', () => {
      expect(row('http-six')?.command).toMatch(/^curl .*'http:\/\/\[fd00:[0-9a-f:]+\]:8080\/healthz'$/);
      expect(row('deny-six')?.command).toMatch(/^nc -zv -w 2 fd00:[0-9a-f:]+ 8080$/);
    });

    it('are denied over both, each beside proofs of its own', () => {
      expect(seen('deny')).toBe('Passed Denied');
      expect(seen('deny-six')).toBe('Passed Denied');
      expect(seen('udp-deny-six')).toBe('Passed Denied');
      expect(row('deny-six')?.message).toContain('Deployment both over IPv6');
    });

    it('of an IPv6 application are found closed over IPv4 alone', () => {
      expect(seen('ipv6-application-over-four')).toBe('Failed NothingListening');
      expect(seen('ipv6-application-over-six')).toBe('Passed Reachable');
      expect(seen('ipv6-application')).toBe('Failed NothingListening');
    });

    it('that listen over IPv4 alone fail an Allow, which names the family', () => {
      expect(seen('ipv4-application-over-four')).toBe('Passed Reachable');
      expect(seen('ipv4-application')).toBe('Failed NothingListening');
      expect(row('ipv4-application')?.message).toContain('Deployment only-ipv4 over IPv6');
    });

    it('pass no Deny over IPv6 by what IPv4 got through', () => {
      expect(seen('denied-where-ipv4-answers')).toBe('Passed Denied');
      expect(seen('denied-where-nothing-answers')).toBe('Inconclusive NoTargetControl');
      expect(seen('denied-where-half-answers')).toBe('Inconclusive NoTargetControl');
      expect(row('denied-where-half-answers')?.message).toContain('over IPv6');
    });
  });

  describe('Services', () => {
    beforeAll(() =>
      run('services', [
        toService('four', 'free', 'as-ipv4', 'Allow'),
        toService('six', 'free', 'as-ipv6', 'Allow'),
        toService('both', 'free', 'as-both', 'Allow'),
        toService('headless', 'free', 'headless', 'Allow'),
        toService('headless-six', 'free', 'headless', 'Allow', 'IPv6'),
        toService('four-asked-for-six', 'free', 'as-ipv4', 'Allow', 'IPv6'),
        toService('six-asked-for-four', 'free', 'as-ipv6', 'Deny', 'IPv4'),
        { ...toService('http-six', 'free', 'as-ipv6', 'Allow'), http: { path: '/healthz', status: [200] } },
        toService('deny-four', 'confined', 'as-ipv4', 'Deny'),
        toService('deny-six', 'confined', 'as-ipv6', 'Deny'),
        toService('deny-both', 'confined', 'as-both', 'Deny'),
        toService('deny-both-six', 'confined', 'as-both', 'Deny', 'IPv6'),
        toService('deny-headless', 'confined', 'headless', 'Deny'),
        // One that is open over both, so that whichever is dialled must fail.
        toService('open-six', 'free', 'as-both', 'Deny', 'IPv6'),
      ]),
    );

    it.each(['four', 'six', 'both', 'headless', 'headless-six', 'http-six'])(
      'are reached by every family that they have: %s',
      (name) => {
        expect(seen(name)).toBe('Passed Reachable');
      },
    );

    it.each(['deny-four', 'deny-six', 'deny-both', 'deny-both-six', 'deny-headless'])(
      'are denied over every family that they have: %s',
      (name) => {
        expect(seen(name)).toBe('Passed Denied');
      },
    );

    it('are not dialled by a family that they lack, which is said', () => {
      for (const name of ['four-asked-for-six', 'six-asked-for-four'])
        expect(seen(name)).toBe('Inconclusive FamilyUnavailable');
      expect(row('four-asked-for-six')?.message).toContain('No address of Service as-ipv4 is of the family IPv6');
    });

    it('that are open fail a Deny, which names the family', () => {
      expect(seen('open-six')).toBe('Failed UnexpectedlyReachable');
      expect(row('open-six')?.message).toContain('Service as-both over IPv6');
    });
  });

  describe('names', () => {
    const host = (service: string) => `${service}.postern-e2e-dual-stack.svc.cluster.local`;
    const toHost = (name: string, from: string, service: string, expect: 'Allow' | 'Deny') => ({
      name,
      from: workload(from),
      to: { host: host(service), port: 8080 },
      expect,
    });
    const dns = (name: string, service: string, type: 'A' | 'AAAA') => ({
      name,
      from: workload('confined'),
      to: { dns: { name: `${host(service)}.`, type } },
      expect: 'Allow',
    });

    beforeAll(() =>
      run('names', [
        toHost('both', 'free', 'as-both', 'Allow'),
        toHost('four', 'free', 'as-ipv4', 'Allow'),
        toHost('six', 'free', 'as-ipv6', 'Allow'),
        toHost('deny-both', 'confined', 'as-both', 'Deny'),
        toHost('deny-six', 'confined', 'as-ipv6', 'Deny'),
        // Of the two addresses that stand behind the name only the second one listens.
        toHost('second-address', 'free', 'only-ipv6', 'Allow'),
        toHost('second-address-open', 'free', 'only-ipv6', 'Deny'),
        dns('aaaa-of-both', 'as-both', 'AAAA'),
        dns('a-of-both', 'as-both', 'A'),
        dns('aaaa-of-four', 'as-ipv4', 'AAAA'),
        dns('a-of-six', 'as-ipv6', 'A'),
      ]),
    );

    it('are dialled by the addresses of both families', () => {
      for (const name of ['both', 'four', 'six', 'second-address']) expect(seen(name)).toBe('Passed Reachable');
      expect(seen('second-address-open')).toBe('Failed UnexpectedlyReachable');
      for (const name of ['deny-both', 'deny-six']) expect(seen(name)).toBe('Passed Denied');
    });

    it('are looked up by the type of the record', () => {
      for (const name of ['aaaa-of-both', 'a-of-both']) expect(seen(name)).toBe('Passed Reachable');
      for (const name of ['aaaa-of-four', 'a-of-six']) expect(seen(name)).toBe('Failed NameNotResolved');
    });
  });

  describe('outside of the cluster', () => {
    const toAddress = (name: string, from: string, ip: string, expect: 'Allow' | 'Deny') => ({
      name,
      from: workload(from),
      to: { ip, port: 8080 },
      expect,
    });

    beforeAll(async () => {
      const { closed, open } = outside;
      const subnet = (address: string) => `${address.slice(0, address.lastIndexOf('::'))}::/64`;
      const cidr = {
        block: subnet(open.ipv6Address),
        except: [`${closed.ipv6Address}/128`],
        sample: open.ipv6Address,
        exceptSample: closed.ipv6Address,
      };
      const toBlock = (name: string, from: string) => ({
        name,
        from: workload(from),
        to: { cidr, port: 8080 },
        expect: 'Allow',
      });
      await run('outside', [
        toAddress('free-four', 'free', closed.address, 'Allow'),
        toAddress('free-six', 'free', closed.ipv6Address, 'Allow'),
        toAddress('no-ipv4-by-four', 'no-ipv4', closed.address, 'Deny'),
        toAddress('no-ipv4-by-six', 'no-ipv4', closed.ipv6Address, 'Deny'),
        toAddress('no-ipv6-by-four', 'no-ipv6', closed.address, 'Deny'),
        toAddress('no-ipv6-by-six', 'no-ipv6', closed.ipv6Address, 'Deny'),
        toAddress('no-ipv6-wants-six', 'no-ipv6', closed.ipv6Address, 'Allow'),
        toBlock('block', 'no-ipv6'),
        toBlock('block-with-a-hole', 'free'),
      ]);
    });

    it('a policy that closes one family closes that one, and the other one is found open', () => {
      expect(seen('free-four')).toBe('Passed Reachable');
      expect(seen('free-six')).toBe('Passed Reachable');
      expect(seen('no-ipv4-by-four')).toBe('Passed Denied');
      expect(seen('no-ipv4-by-six')).toBe('Failed UnexpectedlyReachable');
      expect(seen('no-ipv6-by-four')).toBe('Failed UnexpectedlyReachable');
      expect(seen('no-ipv6-by-six')).toBe('Passed Denied');
      expect(seen('no-ipv6-wants-six')).toBe('Failed Blocked');
      expect(row('no-ipv6-wants-six')?.message).toContain(outside.closed.ipv6Address);
    });

    it('a block of IPv6 is dialled with its exception', () => {
      expect(seen('block')).toBe('Passed Denied');
      expect(row('block')?.message).toContain(`${outside.closed.ipv6Address}, excepted from`);
      expect(seen('block-with-a-hole')).toBe('Failed UnexpectedlyReachable');
    });

    it('names the policy that is at fault, and the model agrees with all that was seen', async () => {
      expect(row('no-ipv6-wants-six')?.explanation).toMatchObject({
        policy: 'NetworkPolicy postern-e2e-dual-stack/no-ipv6',
        agreement: 'Agrees',
      });
      const compared = (await readMetrics(world.kubectl))
        .split('\n')
        .filter((line) => line.startsWith('postern_model_comparisons_total{'));
      expect(compared.filter((line) => !line.includes('agreement="Agrees"') && !line.endsWith(' 0'))).toEqual([]);
      expect(compared.length).toBeGreaterThan(0);
    });
  });

  describe('an address that no probe dials', () => {
    it.each(['::1', '::', 'fe80::1', 'ff02::1', 'fd00:ec2::254', '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe'])(
      'is refused: %s',
      async (ip) => {
        const { namespace, kubectl } = world;
        const input = manifests(
          connectivityTest(namespace, 'refused', [
            { name: 'refused', from: workload('free'), to: { ip, port: 80 }, expect: 'Allow' },
          ]),
        );

        const { code, stderr } = await kubectl.attempt('apply --dry-run=server -f -', { input });

        expect(code).toBe(1);
        expect(stderr).toContain('spec.expectations[0].to.ip');
      },
    );
  });
});
