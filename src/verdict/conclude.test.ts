import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Expectation, ExpectationStatus } from '../api/index.ts';
import { type Plan, planFor } from '../plan/index.ts';
import { type Observation, outcomes } from '../probe/index.ts';
import {
  type Cluster,
  expectationOf,
  podOf,
  serviceOf,
  sliceOf,
  testOf,
  type TestParts,
  viewOf,
} from '../testing/cluster-view.ts';
import { harmful } from '../testing/hostile-text.ts';
import { type Crossing, type CrossingState, crossingsTo } from './crossing.ts';
import { concludeRun, type ProbeReport, type RunEvidence, skippedRows } from './conclude.ts';
import type { Denials } from './denial.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const from = (app: string): Expectation['from'] => ({ pods: { matchLabels: { app } } });
const db = (port = 5432): Expectation['to'] => ({ pods: { matchLabels: { app: 'db' } }, port });

const denied = expectationOf({ name: 'web-not-db', from: from('web'), to: db(), expect: 'Deny' });
const allowed = expectationOf({ name: 'api-db', from: from('api'), to: db(), expect: 'Allow' });
const elsewhere = expectationOf({ name: 'web-out', from: from('web'), to: { ip: '10.9.9.9', port: 443 } });

const dbPod = podOf('db-0', { labels: { app: 'db' }, ip: '10.0.0.5', spec: { containers: [] } });
const provedPod = podOf('db-0', {
  labels: { app: 'db' },
  ip: '10.0.0.5',
  spec: { containers: [{ name: 'db', readinessProbe: { tcpSocket: { port: 5432 } } }] },
});
const shop: Cluster = {
  pods: [podOf('web-1', { labels: { app: 'web' } }), podOf('api-1', { labels: { app: 'api' } }), dbPod],
};
const proved: Cluster = { pods: [...(shop.pods ?? []).slice(0, 2), provedPod] };

const silent = { ingress: 'TimedOut', egress: 'TimedOut' } as const;
const drop: Denials = { IPv4: { TCP: silent, UDP: silent }, IPv6: { TCP: silent, UDP: silent } };
const silence: Observation = {
  outcome: 'TimedOut',
  stage: 'connect',
  firstOutcome: 'TimedOut',
  attempts: 2,
  elapsedMs: 4010,
};
const connection: Observation = {
  outcome: 'Connected',
  stage: 'connect',
  firstOutcome: 'Connected',
  attempts: 2,
  elapsedMs: 20,
};

interface Scene {
  readonly cluster?: Cluster;
  readonly expectations: readonly Expectation[];
  /** What was stated, by the name of the expectation and the index of its check. */
  readonly seen?: Readonly<Record<string, Observation | undefined>>;
  readonly report?: (plan: Plan['assignments'][number], index: number) => Partial<ProbeReport>;
  readonly run?: Partial<RunEvidence>;
  readonly parts?: TestParts;
}

function rowsOf({ cluster = shop, expectations, seen = {}, report = () => ({}), run = {}, parts = {} }: Scene) {
  const test = testOf(expectations, parts);
  const { lines, assignments } = planFor(test, viewOf(cluster));
  const stated = new Map(
    lines.flatMap(({ expectation, checks }) => checks.map(({ id }) => [id, seen[expectation.name]] as const)),
  );
  const reports = assignments.map((assignment, index): ProbeReport => ({
    checks: assignment.checks,
    node: `node-${index}`,
    resolverAnswered: false,
    observations: new Map(
      assignment.checks.flatMap(({ id }) => {
        const observation = stated.get(id);
        return observation === undefined ? [] : [[id, observation] as const];
      }),
    ),
    ...report(assignment, index),
  }));
  return concludeRun(test, {
    lines,
    reports,
    disturbed: false,
    denials: drop,
    isDelayed: () => false,
    targetStands: () => true,
    isNodeHeard: () => true,
    endsOf: () => [],
    crossingOf: () => 'Unknown',
    ...run,
  });
}

describe('a control that the expectation asks for', () => {
  const deny = (control: Expectation['control'], to = db()) =>
    expectationOf({ name: 'web-not-db', from: from('web'), to, expect: 'Deny', ...(control && { control }) });
  const declaring: Cluster = {
    pods: [
      ...(shop.pods ?? []).slice(0, 2),
      podOf('db-0', {
        labels: { app: 'db' },
        ip: '10.0.0.5',
        spec: { containers: [{ name: 'db', ports: [{ containerPort: 5432 }] }] },
      }),
    ],
  };
  const seen = { 'web-not-db': silence, 'web-out': connection };

  /** The row of the Deny, where its checks saw silence and its controls saw this. */
  function judged(expectation: Expectation, control: Observation, cluster = shop) {
    const test = testOf([expectation, elsewhere]);
    const { lines, assignments } = planFor(test, viewOf(cluster));
    const stated = new Map(
      lines.flatMap(({ expectation: { name }, checks, controls }) => [
        ...checks.map(({ id }) => [id, name === 'web-out' ? connection : silence] as const),
        ...controls.map(({ id }) => [id, control] as const),
      ]),
    );
    const reports = assignments.map(({ checks }) => ({ checks, resolverAnswered: false, observations: stated }));
    return concludeRun(test, {
      lines,
      reports,
      disturbed: false,
      denials: drop,
      isDelayed: () => false,
      targetStands: () => true,
      isNodeHeard: () => true,
      endsOf: () => [],
      crossingOf: () => 'Unknown',
    })[0];
  }

  it('is tried by the pods that it names, and speaks if they connect', () => {
    expect(judged(deny({ from: from('api') }), connection)).toMatchObject({
      verdict: 'Passed',
      reason: 'Denied',
      control: 'pods app=api connected to it in the same run',
    });
    expect(judged(deny({ from: from('api') }), silence)).toMatchObject({ reason: 'NoTargetControl' });
  });

  it('disproves the Deny if it names the very source', () => {
    expect(judged(deny({ from: from('web') }), connection)).toMatchObject({
      verdict: 'Failed',
      reason: 'UnexpectedlyReachable',
    });
  });

  it('says so if nobody is there to try', () => {
    const row = judged(deny({ from: from('nobody') }), connection);

    expect(row).toMatchObject({ verdict: 'Inconclusive', reason: 'NoTargetControl' });
    expect(row?.message).toContain('Its control has no source: No pod of namespace shop matches app=nobody.');
  });

  it.each<[string, Cluster, Expectation['control'], string]>([
    ['a declared port', declaring, { mode: 'Declared' }, 'Denied'],
    ['no declared port', shop, { mode: 'Declared' }, 'NoTargetControl'],
    ['a declared port that nobody asked to believe', declaring, undefined, 'NoTargetControl'],
    ['nothing at all', shop, { mode: 'UnreachableIsEnough' }, 'NotReached'],
  ])('accepts what it is told to accept: %s', (_, cluster, control, reason) => {
    const [row] = rowsOf({ cluster, expectations: [deny(control), elsewhere], seen });

    expect(row?.reason).toBe(reason);
  });
});

describe('a disproof by the same identity', () => {
  const other = (to: Expectation['to'], more: Partial<Expectation> = {}) =>
    expectationOf({ name: 'other', from: from('web'), to, ...more });

  it.each<[string, Expectation, Expectation, Observation, string]>([
    ['a connection that did not last', denied, other(db()), { ...silence, firstOutcome: 'Connected' }, 'Failed'],
    [
      'another datagram that was answered',
      expectationOf({ ...denied, protocol: 'UDP', udp: { payload: 'ab' } }),
      other(db(), { protocol: 'UDP', udp: { payload: 'cd' } }),
      connection,
      'Failed',
    ],
    [
      'a TCP connection to the name server',
      expectationOf({ ...denied, to: { dns: { name: 'a.example' }, ip: '10.0.0.9' }, protocol: 'TCP' }),
      other({ ip: '10.0.0.9', port: 53 }),
      connection,
      'Inconclusive',
    ],
  ])('is %s', (_, deny, allow, observation, verdict) => {
    const [row] = rowsOf({
      cluster: proved,
      expectations: [deny, allow, elsewhere],
      seen: { 'web-not-db': silence, other: observation, 'web-out': connection },
    });

    expect(row?.verdict).toBe(verdict);
  });
});

describe('a control over UDP', () => {
  const dns = { name: 'db.example' };
  const own = expectationOf({ name: 'own', from: from('web'), to: { dns }, expect: 'Deny' });
  const others = expectationOf({ name: 'others', from: from('api'), to: { dns } });
  const otherName = expectationOf({ name: 'other-name', from: from('api'), to: { dns: { name: 'other.example' } } });
  const ownOtherName = { ...otherName, name: 'own-other-name', from: from('web') };
  const overTcp = { ...others, name: 'over-tcp', protocol: 'TCP' as const };
  const atServer = expectationOf({ name: 'at-server', from: from('api'), to: { dns, ip: '10.0.0.9' } });
  const answer: Observation = { ...connection, stage: 'dns' };
  const absent: Observation = { ...answer, outcome: 'NameNotResolved' };
  const ask = { protocol: 'UDP' as const, udp: { payload: '70' } };
  const denied = expectationOf({ name: 'denied', from: from('web'), to: db(), ...ask, expect: 'Deny' });
  const asked = expectationOf({ name: 'asked', from: from('api'), to: db(), ...ask });
  const askedElse = { ...asked, name: 'asked-else', udp: { payload: '71' } };
  const overTcpToo = expectationOf({ name: 'tcp', from: from('api'), to: db() });

  it.each<[string, readonly Expectation[], Scene['seen'], string]>([
    ['the resolver answered another source about that name', [own, others], { own: silence, others: answer }, 'Denied'],
    ['it answered about another name', [own, otherName], { own: silence, 'other-name': answer }, 'NoTargetControl'],
    [
      'it answered the very source about another name',
      [own, others, ownOtherName],
      { own: silence, others: answer, 'own-other-name': answer },
      'NameServerFailed',
    ],
    [
      'it told the very source that there is no such name, and answered about another',
      [own, ownOtherName],
      { own: absent, 'own-other-name': answer },
      'NameNotResolved',
    ],
    [
      'the other source was answered only after a while',
      [own, others],
      { own: silence, others: { ...answer, firstOutcome: 'TimedOut' } },
      'NoTargetControl',
    ],
    ['the resolver knew no such name', [own, others], { own: silence, others: absent }, 'Denied'],
    ['the resolver answered over TCP', [own, overTcp], { own: silence, 'over-tcp': answer }, 'NoTargetControl'],
    ['another server answered', [own, atServer], { own: silence, 'at-server': answer }, 'NoTargetControl'],
    [
      'another source got the same datagram answered',
      [denied, asked],
      { denied: silence, asked: connection },
      'Denied',
    ],
    [
      'another datagram was answered',
      [denied, askedElse],
      { denied: silence, 'asked-else': connection },
      'NoTargetControl',
    ],
    ['another source connected by TCP', [denied, overTcpToo], { denied: silence, tcp: connection }, 'NoTargetControl'],
  ])('where %s', (_, expectations, seen, reason) => {
    const [row] = rowsOf({ expectations: [...expectations, elsewhere], seen: { ...seen, 'web-out': connection } });

    expect(row?.reason).toBe(reason);
  });

  it('is no readiness probe, which speaks TCP', () => {
    const [row] = rowsOf({
      cluster: proved,
      expectations: [denied, elsewhere],
      seen: { denied: silence, 'web-out': connection },
    });

    expect(row).toMatchObject({ verdict: 'Inconclusive', reason: 'NoTargetControl' });
  });

  it('of the source is not its own silence', () => {
    const [row] = rowsOf({ expectations: [own, others], seen: { own: silence, others: answer } });

    expect(row).toMatchObject({ verdict: 'Inconclusive', reason: 'NoSourceControl' });
  });
});

describe('a Deny that met silence', () => {
  it('passes when another source connected to the same target and this one connected elsewhere', () => {
    const [row] = rowsOf({
      expectations: [denied, allowed, elsewhere],
      seen: { 'web-not-db': silence, 'api-db': connection, 'web-out': connection },
    });

    expect(row).toEqual({
      name: 'web-not-db',
      expect: 'Deny',
      verdict: 'Passed',
      reason: 'Denied',
      message:
        'Pods app=web got no answer from pods app=db on TCP port 5432 twice, while pods app=api connected to it in the same run, and the same probe pod connected elsewhere.',
      outcome: 'TimedOut',
      firstObserved: 'TimedOut',
      control: 'pods app=api connected to it in the same run',
      command: 'nc -zv -w 2 10.0.0.5 5432',
    });
  });

  it("passes by the kubelet's readiness probe and an answer of the resolver", () => {
    const [row] = rowsOf({
      cluster: proved,
      expectations: [denied],
      seen: { 'web-not-db': silence },
      report: () => ({ resolverAnswered: true }),
    });

    expect(row).toMatchObject({
      verdict: 'Passed',
      control: "its pods are Ready by the kubelet's readiness probe on that port",
      message:
        "Pods app=web got no answer from pods app=db on TCP port 5432 twice, while its pods are Ready by the kubelet's readiness probe on that port, and the same probe pod got an answer from its DNS resolver.",
    });
  });

  describe('on a cluster that refuses what it denies', () => {
    const refusal: Observation = { ...silence, outcome: 'Refused', firstOutcome: 'Refused' };
    const run = { denials: { IPv4: { TCP: { ingress: 'Refused', egress: 'Refused' } } } } as const;
    const seen = { 'web-not-db': refusal, 'api-db': connection, 'web-out': connection };

    it('passes beside a connection of the same run', () => {
      const [row] = rowsOf({ cluster: proved, expectations: [denied, allowed, elsewhere], seen, run });

      expect(row).toMatchObject({ verdict: 'Passed', control: 'pods app=api connected to it in the same run' });
    });

    it('does not pass by what the kubelet saw or the user accepts: the port may have closed, or never been open', () => {
      const [byReadiness] = rowsOf({ cluster: proved, expectations: [denied, elsewhere], seen, run });
      const containers = [{ name: 'db', ports: [{ containerPort: 5432 }] }];
      const declaring = podOf('db-0', { labels: { app: 'db' }, ip: '10.0.0.5', spec: { containers } });
      const [byDeclaration] = rowsOf({
        cluster: { pods: [...(shop.pods ?? []).slice(0, 2), declaring] },
        expectations: [{ ...denied, control: { mode: 'Declared' } }, elsewhere],
        seen,
        run,
      });

      expect(byReadiness).toMatchObject({
        verdict: 'Inconclusive',
        reason: 'NoTargetControl',
        message:
          'Pods app=db on TCP port 5432 refused pods app=web, but nothing proved that it answers anybody there. A port that nobody listens on refuses as well: name pods that may connect as `control.from`, or add an Allow expectation to the same target and port.',
      });
      expect(byDeclaration).toMatchObject({ verdict: 'Inconclusive', reason: 'NoTargetControl' });
    });
  });

  it.each<[string, Scene, string]>([
    [
      'without any control',
      { expectations: [denied], seen: { 'web-not-db': silence }, report: () => ({ resolverAnswered: true }) },
      'NoTargetControl',
    ],
    [
      'with a control on another port only',
      {
        expectations: [denied, { ...allowed, to: db(8080) }, elsewhere],
        seen: { 'web-not-db': silence, 'api-db': connection, 'web-out': connection },
      },
      'NoTargetControl',
    ],
    [
      'with a control at another address only',
      {
        expectations: [denied, { ...allowed, to: { ip: '10.0.0.6', port: 5432 } }, elsewhere],
        seen: { 'web-not-db': silence, 'api-db': connection, 'web-out': connection },
      },
      'NoTargetControl',
    ],
    [
      'with a control that met silence too',
      {
        expectations: [denied, allowed, elsewhere],
        seen: { 'web-not-db': silence, 'api-db': silence, 'web-out': connection },
      },
      'NoTargetControl',
    ],
    [
      'with a control that said nothing',
      { expectations: [denied, allowed, elsewhere], seen: { 'web-not-db': silence, 'web-out': connection } },
      'NoTargetControl',
    ],
    [
      'with a control of the target alone',
      { expectations: [denied, allowed], seen: { 'web-not-db': silence, 'api-db': connection } },
      'NoSourceControl',
    ],
    [
      'with a target that did not stand',
      {
        expectations: [denied, allowed, elsewhere],
        seen: { 'web-not-db': silence, 'api-db': connection, 'web-out': connection },
        run: { isDelayed: () => false, isNodeHeard: () => true, endsOf: () => [], targetStands: () => false },
      },
      'TargetChanged',
    ],
    [
      'while something changed',
      {
        expectations: [denied, allowed, elsewhere],
        seen: { 'web-not-db': silence, 'api-db': connection, 'web-out': connection },
        run: { disturbed: true },
      },
      'EnforcementDelayed',
    ],
  ])('%s is undecided', (_, scene, reason) => {
    expect(rowsOf(scene)[0]).toMatchObject({ verdict: 'Inconclusive', reason });
    expect(rowsOf(scene)[0]).not.toHaveProperty('control');
  });

  it.each<[string, Partial<ProbeReport>, Partial<ProbeReport>, string]>([
    ['on the same node', { node: 'a' }, { node: 'a' }, 'Denied'],
    ['on another node', { node: 'a' }, { node: 'b' }, 'NoSourceControl'],
  ])('takes the answers of a probe pod %s for a sign that its node works, or not', (_, own, other, reason) => {
    const [row] = rowsOf({
      expectations: [denied, allowed],
      seen: { 'web-not-db': silence, 'api-db': connection },
      report: ({ identity }) => (identity.labels['app'] === 'web' ? own : other),
    });

    expect(row?.reason).toBe(reason);
  });

  it('does not take two unknown nodes for one', () => {
    const [row] = rowsOf({
      expectations: [denied, allowed],
      seen: { 'web-not-db': silence, 'api-db': connection },
      report: ({ checks }) => ({
        checks,
        observations: new Map(checks.map(({ id, mode }) => [id, mode === 'guard' ? silence : connection])),
        ...Object.fromEntries([['node', undefined]]),
      }),
    });

    expect(row?.reason).toBe('NoSourceControl');
  });

  it('fails when its own source connected on behalf of an Allow', () => {
    const contradiction = { ...allowed, from: from('web') };

    const rows = rowsOf({
      cluster: proved,
      expectations: [denied, contradiction],
      seen: { 'web-not-db': silence, 'api-db': connection },
    });

    expect(rows.map(({ verdict, reason, outcome }) => [verdict, reason, outcome])).toEqual([
      ['Failed', 'UnexpectedlyReachable', 'Connected'],
      ['Passed', 'Reachable', 'Connected'],
    ]);
  });

  it('is undecided when its own probe said nothing, even if its source connected on behalf of an Allow', () => {
    const rows = rowsOf({
      expectations: [denied, { ...allowed, from: from('web') }],
      seen: { 'api-db': connection },
    });

    expect(rows[0]).toMatchObject({ verdict: 'Inconclusive', reason: 'ProbeLost' });
  });

  it('finds the control of a host name by the address that it resolved to', () => {
    const byName = { host: 'db.example', port: 5432 };
    const expectations = [
      { ...denied, to: byName },
      { ...allowed, to: byName },
    ];
    const seen = (address: string) => ({
      'web-not-db': { ...silence, address: '10.0.0.5' },
      'api-db': { ...connection, address },
    });
    const report = () => ({ resolverAnswered: true });

    expect(rowsOf({ expectations, seen: seen('10.0.0.5'), report })[0]?.reason).toBe('Denied');
    expect(rowsOf({ expectations, seen: seen('10.0.0.6'), report })[0]?.reason).toBe('NoTargetControl');
  });

  it.each([false, true])('repeats words of others in one line of whole characters, dry run: %j', (dryRun) => {
    const words = `\u001b[2J\nVerdict: Passed\u202e${'🙂'.repeat(400)}`;

    const [row] = rowsOf({
      expectations: [{ ...denied, dryRun }],
      report: () => ({ trouble: { reason: 'ProbeRejected', message: words } }),
    });

    expect(row?.message).toMatch(/ Verdict: Passed🙂+…$/u);
    expect(row?.message).not.toMatch(harmful);
  });

  it('bounds what it says of its control', () => {
    const labels = { app: 'api', ...Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`${i}`.repeat(60), 'x'])) };
    const cluster = { pods: [...(shop.pods ?? []), podOf('api-2', { labels })] };

    const [row] = rowsOf({
      cluster,
      expectations: [denied, { ...allowed, from: { pods: { matchLabels: labels } } }],
      seen: { 'web-not-db': silence, 'api-db': connection },
      report: () => ({ resolverAnswered: true }),
    });

    expect(row?.verdict).toBe('Passed');
    expect(row?.control).toMatch(/^pods .{200,250}…$/);
    expect(row?.message.length).toBeLessThanOrEqual(1024);
  });
});

describe('a row', () => {
  it('shows the worst check of an expectation', () => {
    const cluster = { pods: [podOf('a', { labels: { app: 'a' } }), podOf('b', { labels: { app: 'b' } })] };
    const all = expectationOf({ name: 'all', from: { pods: {} }, to: { ip: '10.9.9.9', port: 443 }, expect: 'Deny' });

    const [row] = rowsOf({
      cluster,
      expectations: [all],
      report: ({ checks, identity }) => ({
        observations: new Map(checks.map(({ id }) => [id, identity.labels['app'] === 'b' ? connection : silence])),
      }),
    });

    expect(row).toMatchObject({ verdict: 'Failed', reason: 'UnexpectedlyReachable', outcome: 'Connected' });
  });

  it('does not pass if a part of the expectation could not be probed', () => {
    const pods = [podOf('a', { labels: { app: 'a' } }), podOf('b', { labels: { app: 'b' } })];
    const services = [serviceOf('b', { publishNotReadyAddresses: true, selector: { app: 'b' } })];
    const all = expectationOf({ name: 'all', from: { pods: {} }, to: { ip: '10.9.9.9', port: 443 } });

    const [row] = rowsOf({ cluster: { pods, services }, expectations: [all], seen: { all: connection } });

    expect(row).toMatchObject({ verdict: 'Inconclusive', reason: 'ServicePublishesNotReady' });
    expect(row).not.toHaveProperty('outcome');
    expect(row).not.toHaveProperty('command');
  });

  it.each<[string, ProbeReport['trouble'], string]>([
    [
      'the quota',
      { reason: 'QuotaExceeded', message: 'exceeded quota: small' },
      'The quota of namespace shop leaves no room for a probe pod of pods app=web (exceeded quota: small). Raise it by one pod per source, or free some.',
    ],
    [
      'a probe that was lost without a word',
      { reason: 'ProbeLost', message: '' },
      'The probe pod of pods app=web ended without a complete statement of what it saw. It is tried again at the next run.',
    ],
  ])('tells of %s', (_, trouble, message) => {
    const [row] = rowsOf({ expectations: [denied], report: () => (trouble === undefined ? {} : { trouble }) });

    expect(row).toMatchObject({ verdict: 'Inconclusive', reason: trouble?.reason, message });
  });

  it('tells of a check that no report covers', () => {
    expect(rowsOf({ expectations: [denied], run: { reports: [] } })[0]).toMatchObject({
      verdict: 'Inconclusive',
      reason: 'ProbeLost',
    });
  });

  it.each(['Allow', 'Deny'] as const)('that would dial its own pod is skipped: %s', (expect_) => {
    const [row] = rowsOf({
      expectations: [expectationOf({ name: 'own', from: from('db'), to: db(), expect: expect_ })],
    });

    expect(row).toMatchObject({ verdict: 'Skipped', reason: 'PathUndefined' });
    expect(row?.message).toContain('Start a second replica, or name another source.');
  });

  it('of a dry run is skipped, whatever was seen', () => {
    const [row] = rowsOf({ expectations: [{ ...denied, dryRun: true }], seen: { 'web-not-db': connection } });

    expect(row).toMatchObject({ verdict: 'Skipped', reason: 'DryRun', outcome: 'Connected' });
    expect(row?.message).toMatch(/^Would be Failed \(UnexpectedlyReachable\): Pods app=web connected to/);
  });

  it('shows a Service by name in the command, not by address', () => {
    const api = podOf('api-1', { labels: { app: 'api' } });
    const cluster = {
      pods: [podOf('web-1', { labels: { app: 'web' } }), api],
      services: [serviceOf('api')],
      slices: [sliceOf('api', [api])],
    };

    const [row, page] = rowsOf({
      cluster,
      expectations: [
        expectationOf({ name: 'a', from: from('web') }),
        expectationOf({ name: 'b', from: from('web'), http: { path: '/x' } }),
      ],
      seen: { a: connection, b: { ...connection, stage: 'http' } },
    });

    expect(row?.command).toBe('nc -zv -w 2 api.shop.svc 80');
    expect(page?.command).toBe("curl -v --max-time 2 'http://api.shop.svc:80/x'");
    expect(page?.message).toBe('Pods app=web connected to Service api on HTTP port 80.');
  });

  it('adds what the plan says beside the checks', () => {
    const pods = [...(shop.pods ?? []), podOf('web-2', { labels: { app: 'web' }, spec: { hostNetwork: true } })];

    const [row] = rowsOf({ cluster: { pods }, expectations: [elsewhere], seen: { 'web-out': connection } });

    expect(row?.message).toBe(
      'Pods app=web connected to 10.9.9.9 on TCP port 443. Source pods on the host network were left out: network policies have no say there.',
    );
  });
});

describe('a block of addresses and what it excepts', () => {
  const to: Expectation['to'] = {
    cidr: { block: '203.0.113.0/24', except: ['203.0.113.8/29'], sample: '203.0.113.7', exceptSample: '203.0.113.9' },
    port: 443,
  };
  const verdictsOf = (
    inside: Observation,
    excepted: Observation,
    { expect = 'Deny', isDelayed = false }: { expect?: Expectation['expect']; isDelayed?: boolean } = {},
  ) => {
    const control = { control: { mode: 'UnreachableIsEnough' as const } };
    const block = { name: 'block', from: from('web'), to, expect, ...(expect === 'Deny' ? control : {}) };
    const test = testOf([expectationOf(block)]);
    const { lines, assignments } = planFor(test, viewOf(shop));
    const seenAt = (address: string | undefined) => (address === '203.0.113.7' ? inside : excepted);
    return concludeRun(test, {
      lines,
      reports: assignments.map(({ checks }) => ({
        checks,
        observations: new Map(checks.map(({ id, address }) => [id, seenAt(address)])),
        resolverAnswered: true,
      })),
      disturbed: false,
      denials: drop,
      isDelayed: () => isDelayed,
      isNodeHeard: () => true,
      endsOf: () => [],
      crossingOf: () => 'Unknown',
      targetStands: () => true,
    })[0];
  };

  it.each<[string, Observation, Observation, string]>([
    ['both as they must', silence, connection, 'Passed NotReached'],
    ['the excepted part denied as well', silence, silence, 'Failed Blocked'],
    ['the block open', connection, connection, 'Failed UnexpectedlyReachable'],
  ])('%s', (_, inside, excepted, verdict) => {
    const row = verdictsOf(inside, excepted);
    expect(`${row?.verdict} ${row?.reason}`).toBe(verdict);
  });

  it('shows the hole before anything else that is wrong', () => {
    const row = verdictsOf(silence, connection, { expect: 'Allow' });
    expect(row).toMatchObject({ verdict: 'Failed', reason: 'UnexpectedlyReachable' });
  });

  it('counts how often what an Allow excepts was excused', () => {
    const row = verdictsOf(connection, connection, { expect: 'Allow', isDelayed: true });
    expect(row).toMatchObject({ verdict: 'Inconclusive', reason: 'EnforcementDelayed', excusedRuns: 1 });
  });

  it('says which address decided', () => {
    expect(verdictsOf(silence, silence)?.message).toContain(
      'could not connect to 203.0.113.9, excepted from 203.0.113.0/24, on TCP port 443.',
    );
    expect(verdictsOf(connection, connection)?.message).toContain('connected to 203.0.113.7 of 203.0.113.0/24 on TCP');
  });
});

describe('skippedRows', () => {
  it('has one row per expectation', () => {
    expect(skippedRows(testOf([denied, allowed]), 'Suspended', 'Because.')).toEqual([
      { name: 'web-not-db', expect: 'Deny', verdict: 'Skipped', reason: 'Suspended', message: 'Because.' },
      { name: 'api-db', expect: 'Allow', verdict: 'Skipped', reason: 'Suspended', message: 'Because.' },
    ]);
  });
});

describe('a cluster that denies otherwise', () => {
  const refusal: Observation = { ...silence, outcome: 'Refused', firstOutcome: 'Refused' };
  const seen = { 'web-not-db': refusal, 'api-db': connection, 'web-out': connection };
  const expectations = [denied, allowed, elsewhere];

  it('has its refusals believed, with the same proofs', () => {
    const denials: Denials = { IPv4: { TCP: { ingress: 'Refused', egress: 'TimedOut' } } };

    expect(rowsOf({ expectations, seen, run: { denials } })[0]).toMatchObject({
      verdict: 'Passed',
      reason: 'Denied',
      outcome: 'Refused',
      message:
        'Pods app=db on TCP port 5432 refused pods app=web twice, while pods app=api connected to it in the same run, and the same probe pod connected elsewhere.',
    });
    expect(rowsOf({ expectations: [denied], seen, run: { denials } })[0]).toMatchObject({
      verdict: 'Inconclusive',
      reason: 'NoTargetControl',
    });
  });

  it.each<[boolean, string]>([
    [true, 'Failed ReachedClosedPort'],
    [false, 'Inconclusive RefusedOrClosed'],
  ])('that drops has what a pod refused arrive where policies let it pass: %s', (isOpen, expected) => {
    const [row] = rowsOf({ expectations, seen, run: { isAdmitted: () => isOpen } });

    expect(`${row?.verdict} ${row?.reason}`).toBe(expected);
  });

  it('that drops leaves open what refused where the target is no pod', () => {
    const [row] = rowsOf({
      expectations: [{ ...denied, to: { ip: '192.0.2.7', port: 5432 } }],
      seen: { 'web-not-db': refusal },
      run: { isAdmitted: () => true },
    });

    expect(row).toMatchObject({ verdict: 'Inconclusive', reason: 'RefusedOrClosed' });
  });

  it('has nothing believed before it is calibrated', () => {
    expect(rowsOf({ expectations, seen, run: { denials: {} } })[0]).toMatchObject({
      verdict: 'Inconclusive',
      reason: 'NotCalibrated',
    });
  });

  it('says so where it enforces nothing', () => {
    const denials: Denials = { IPv4: { TCP: { ingress: 'Connected', egress: 'Connected' } } };

    expect(rowsOf({ expectations, seen: { ...seen, 'web-not-db': connection }, run: { denials } })[0]).toMatchObject({
      verdict: 'Failed',
      reason: 'PolicyNotEnforced',
    });
  });
});

describe('whatever a run brings back', () => {
  const address = fc.constantFrom('10.0.0.5', '10.0.0.6');
  const anything = fc.record<Observation>(
    {
      outcome: fc.constantFrom(...outcomes),
      firstOutcome: fc.constantFrom(...outcomes),
      stage: fc.constantFrom('connect', 'dns', 'http'),
      attempts: fc.integer({ min: 1, max: 3 }),
      elapsedMs: fc.nat(9999),
      address,
      httpStatus: fc.constantFrom(200, 403),
    },
    { requiredKeys: ['outcome', 'firstOutcome', 'stage', 'attempts', 'elapsedMs'] },
  );
  // Mostly what lets a Deny pass, or nearly so.
  const observation = fc.oneof(
    { weight: 8, arbitrary: address.map((found) => ({ ...silence, address: found })) },
    { weight: 3, arbitrary: address.map((found) => ({ ...connection, address: found })) },
    { weight: 1, arbitrary: anything },
  );
  const expectation = fc
    .record({
      from: fc.constantFrom(from('web'), from('web'), from('api'), { pods: {} }),
      to: fc.constantFrom<Expectation['to']>(
        db(),
        db(8080),
        { host: 'db.example', port: 5432 },
        { ip: '10.0.0.5', port: 5432 },
        { pods: { matchLabels: { app: 'missing' } }, port: 1 },
      ),
      expect: fc.constantFrom('Allow', 'Deny'),
      dryRun: fc.constantFrom(undefined, undefined, undefined, undefined, true),
    })
    .map((parts) => expectationOf(parts));
  const scene = fc.record({
    cluster: fc.constantFrom(shop, proved),
    expectations: fc.array(expectation, { minLength: 3, maxLength: 6 }),
    disturbed: fc.constantFrom(false, false, false, true),
    stands: fc.constantFrom(true, true, true, false),
    said: fc.array(observation, { minLength: 18, maxLength: 18 }),
    probes: fc.array(
      fc.record({
        fate: fc.constantFrom('works', 'works', 'works', 'silent', 'missing'),
        node: fc.constantFrom('a', 'b'),
        resolverAnswered: fc.boolean(),
      }),
      { minLength: 3, maxLength: 3 },
    ),
  });

  it('no verdict but Inconclusive comes from probes that said nothing, and a Deny passes on silence with both controls', () => {
    let passedDenies = 0;
    fc.assert(
      fc.property(scene, ({ cluster, expectations, disturbed, stands, said: statements, probes }) => {
        const named = expectations.map((one, index) => ({ ...one, name: `e-${index}` }));
        const test = testOf(named);
        const { lines, assignments } = planFor(test, viewOf(cluster));
        const reports = assignments.flatMap(({ checks }, index): ProbeReport[] => {
          const { fate, node, resolverAnswered } = probes[index] ?? {
            fate: 'missing',
            node: 'a',
            resolverAnswered: false,
          };
          if (fate === 'missing') return [];
          if (fate === 'silent') {
            const trouble = { reason: 'ProbeNotStarted', message: '' } as const;
            return [{ checks, node, resolverAnswered: false, observations: new Map(), trouble }];
          }
          const observations = new Map(checks.map(({ id }) => [id, statements[id] ?? silence]));
          return [{ checks, node, resolverAnswered, observations }];
        });
        const seen = new Map(reports.flatMap(({ observations }) => [...observations]));

        const rows = concludeRun(test, {
          lines,
          reports,
          disturbed,
          denials: drop,
          isDelayed: () => false,
          targetStands: () => stands,
          isNodeHeard: () => true,
          endsOf: () => [],
          crossingOf: () => 'Unknown',
        });

        expect(rows.map(({ name }) => name)).toEqual(named.map(({ name }) => name));
        for (const [index, row] of rows.entries()) {
          const checks = lines[index]?.checks ?? [];
          const said = checks.map(({ id }) => seen.get(id));
          expect(row.message.length).toBeLessThanOrEqual(1024);
          if (said.every((one) => one === undefined)) expect(['Inconclusive', 'Skipped']).toContain(row.verdict);
          if (named[index]?.dryRun === true) expect(row.verdict).toBe('Skipped');
          if (row.verdict !== 'Passed') continue;
          expect(lines[index]?.findings).toEqual([]);
          expect(said).not.toContain(undefined);
          if (row.expect === 'Allow') {
            for (const one of said) expect(one?.outcome).toBe('Connected');
            continue;
          }
          passedDenies += 1;
          expect([stands, disturbed]).toEqual([true, false]);
          expect(row.control).toBeDefined();
          for (const check of checks) {
            expect(seen.get(check.id)).toMatchObject({
              outcome: 'TimedOut',
              firstOutcome: 'TimedOut',
              stage: 'connect',
            });
            const answered = ({ outcome, stage }: Observation) => outcome === 'Connected' || stage === 'http';
            const address = check.address ?? seen.get(check.id)?.address;
            const controls = assignments
              .flatMap((assignment) => assignment.checks)
              .filter((other) => {
                const one = seen.get(other.id);
                return (
                  one !== undefined &&
                  answered(one) &&
                  other.port === check.port &&
                  (other.address ?? one.address) === address
                );
              });
            expect(check.target.readinessProved || controls.length > 0).toBe(true);
            expect(controls.every(({ identity }) => identity.key !== check.identity.key)).toBe(true);
            const own = reports.find((report) => report.checks.includes(check));
            const works = (report: ProbeReport) =>
              report.resolverAnswered || [...report.observations.values()].some(answered);
            expect(reports.some((report) => report.node === own?.node && works(report))).toBe(true);
          }
        }
      }),
      { numRuns: 2000 },
    );
    // The property says nothing if no case reaches it.
    expect(passedDenies).toBeGreaterThan(0);
  });
});

describe('a Deny that connected close to a change', () => {
  const run = { isDelayed: () => true };
  const rowAfter = (previous: Partial<ExpectationStatus> | undefined, spec: object = {}, expectation = denied) => {
    const before = { name: expectation.name, expect: 'Deny', message: '', since: '2026-01-01T00:00:00Z' };
    const verdict = { verdict: 'Passed', reason: 'Denied' } as const;
    const status = previous === undefined ? {} : { status: { expectations: [{ ...before, ...verdict, ...previous }] } };
    return rowsOf({
      expectations: [expectation],
      seen: { 'web-not-db': connection },
      run,
      parts: { spec, ...status },
    })[0];
  };

  it('is undecided three times, and counted', () => {
    expect(rowAfter(undefined)).toMatchObject({ reason: 'EnforcementDelayed', excusedRuns: 1 });
    expect(rowAfter({})).toMatchObject({ verdict: 'Inconclusive', reason: 'EnforcementDelayed', excusedRuns: 1 });
    expect(rowAfter({ excusedRuns: 2 })).toMatchObject({ reason: 'EnforcementDelayed', excusedRuns: 3 });
  });

  it('fails the fourth time, and says why', () => {
    const row = rowAfter({ excusedRuns: 3 });

    expect(row).toMatchObject({ verdict: 'Failed', reason: 'UnexpectedlyReachable' });
    expect(row?.message).toMatch(/keep changing, but it connected in more than 3 runs in a row\.$/);
    expect(row).not.toHaveProperty('excusedRuns');
  });

  it('fails at once where it had failed before, and in the strict mode', () => {
    expect(rowAfter({ verdict: 'Failed' })).toMatchObject({ verdict: 'Failed' });
    expect(rowAfter({}, { enforcementGraceSeconds: 0 })).toMatchObject({ verdict: 'Failed' });
  });

  it('is counted too beside a check that is undecided for another reason', () => {
    const cluster: Cluster = { pods: [...(shop.pods ?? []), podOf('web-2', { labels: { app: 'web', tier: 'b' } })] };
    const report = (_: unknown, index: number) => (index === 0 ? { observations: new Map() } : {});

    const [row] = rowsOf({ cluster, expectations: [denied], seen: { 'web-not-db': connection }, run, report });

    expect(row).toMatchObject({ reason: 'ProbeLost', excusedRuns: 1 });
  });

  it('is asked for only with what connected', () => {
    const asked: string[] = [];
    const isDelayed: RunEvidence['isDelayed'] = (line, check, seen) => {
      asked.push(`${line.expectation.name} ${check.port} ${seen.outcome}`);
      return false;
    };

    rowsOf({ expectations: [denied], seen: { 'web-not-db': connection }, run: { isDelayed } });

    expect(asked).toEqual(['web-not-db 5432 Connected']);
  });
});

describe('an Allow', () => {
  it('says what its slowest check saw first, and how long it took', () => {
    const cluster: Cluster = { pods: [...(shop.pods ?? []), podOf('db-1', { labels: { app: 'db' }, ip: '10.0.0.6' })] };
    const late: Observation = { ...connection, firstOutcome: 'TimedOut', attempts: 3, elapsedMs: 2400 };
    const report: Scene['report'] = ({ checks }) => ({
      observations: new Map(checks.map(({ id, address }) => [id, address === '10.0.0.6' ? late : connection])),
    });

    const [row] = rowsOf({ cluster, expectations: [allowed], report });

    expect(row).toMatchObject({
      verdict: 'Passed',
      firstObserved: 'TimedOut',
      convergedAfterMilliseconds: 2400,
      command: 'nc -zv -w 2 10.0.0.6 5432',
    });
    expect(row?.message).toMatch(/not at once: the first attempt ended TimedOut, and it took 2\.4 s/);
  });

  it('that failed did not converge', () => {
    const [row] = rowsOf({ expectations: [allowed], seen: { 'api-db': silence } });

    expect(row).toMatchObject({ verdict: 'Failed', firstObserved: 'TimedOut' });
    expect(row).not.toHaveProperty('convergedAfterMilliseconds');
  });
});

describe('a path between nodes', () => {
  const onNodes = { 'web-not-db': 'node-b', 'api-db': 'node-b', 'web-out': 'node-b' };
  const path = { from: 'node-a', to: 'node-b', family: 'IPv4', protocol: 'TCP' };

  /** Web probes from node A, api from node B; the targets stand where they are said to. */
  function judged(
    expectations: readonly Expectation[],
    seen: Scene['seen'],
    {
      places = onNodes,
      state = 'Unknown',
      onHost = [],
    }: { places?: Readonly<Record<string, string>>; state?: CrossingState; onHost?: readonly string[] } = {},
  ) {
    const { lines } = planFor(testOf(expectations), viewOf(proved));
    const nameOf = new Map(lines.flatMap(({ expectation, checks }) => checks.map(({ id }) => [id, expectation.name])));
    const asked: Crossing[] = [];
    const rows = rowsOf({
      cluster: proved,
      expectations,
      ...(seen === undefined ? {} : { seen }),
      report: (_, index) => ({ node: index === 0 ? 'node-a' : 'node-b', resolverAnswered: true }),
      run: {
        endsOf: ({ id }) => {
          const name = nameOf.get(id) ?? '';
          return [{ node: places[name] ?? 'node-a', isOnHost: onHost.includes(name) }];
        },
        crossingOf: (crossing) => {
          asked.push(crossing);
          return state;
        },
      },
    });
    return { verdict: `${rows[0]?.verdict} ${rows[0]?.reason}`, asked };
  }
  const silent = { 'web-not-db': silence };
  const unseen = { verdict: 'Inconclusive NoPathControl', asked: expect.arrayContaining([path]) as unknown };
  const seenInRun = { verdict: 'Passed Denied', asked: [] };

  it('has to be seen to be whole where silence comes from beyond it', () => {
    expect(judged([denied], silent)).toEqual(unseen);
    expect(judged([denied], silent, { state: 'NotCrossed' })).toEqual(unseen);
    expect(judged([denied], silent, { state: 'Crossed' })).toMatchObject({ verdict: 'Passed Denied' });
    expect(judged([denied, allowed], { ...silent, 'api-db': connection }), 'the control is on its own node').toEqual(
      unseen,
    );
  });

  it('is none on one node', () => {
    expect(judged([denied], silent, { places: { 'web-not-db': 'node-a' } })).toEqual(seenInRun);
  });

  it('is seen where a probe of the same node connected to something there', () => {
    expect(judged([denied, elsewhere], { ...silent, 'web-out': connection })).toEqual(seenInRun);
    const datagram: Expectation = { ...elsewhere, protocol: 'UDP', udp: { payload: '70' } };
    expect(judged([denied, datagram], { ...silent, 'web-out': connection }), 'another transport').toEqual(unseen);
  });

  it('is not seen by what goes to a node itself, nor by an answer to a question of DNS', () => {
    expect(judged([denied, elsewhere], { ...silent, 'web-out': connection }, { onHost: ['web-out'] })).toEqual(unseen);
    const question: Expectation = { ...elsewhere, protocol: 'TCP', to: { ip: '10.9.9.9', dns: { name: 'a.example' } } };
    expect(judged([denied, question], { ...silent, 'web-out': connection })).toEqual(unseen);
  });

  it('is not seen where a probe came the other way', () => {
    const seen = { ...silent, 'api-db': connection };

    expect(judged([denied, allowed], seen, { places: { ...onNodes, 'api-db': 'node-a' } })).toEqual(unseen);
  });

  it('is unseen where another node was reached, or this one only late', () => {
    const late = { ...connection, firstOutcome: 'TimedOut' } as const;
    const places = { ...onNodes, 'web-out': 'node-c' };

    expect(judged([denied, elsewhere], { ...silent, 'web-out': connection }, { places })).toEqual(unseen);
    expect(judged([denied, elsewhere], { ...silent, 'web-out': late })).toEqual(unseen);
  });

  it('is not asked for by a Deny that failed', () => {
    expect(judged([denied], { 'web-not-db': connection })).toEqual({
      verdict: 'Failed UnexpectedlyReachable',
      asked: [],
    });
  });

  it('is nothing to who is content with silence, though the policy is not proved then', () => {
    const content: Expectation = { ...denied, control: { mode: 'UnreachableIsEnough' } };

    expect(judged([content], silent)).toMatchObject({ verdict: 'Passed NotReached' });
    expect(judged([content], silent, { state: 'Crossed' })).toMatchObject({ verdict: 'Passed Denied' });
  });

  it('is asked about for eight nodes behind one target at most, spread over their names', () => {
    const ends = ['a', 'b', 'c', 'd'].flatMap((zone) =>
      Array.from({ length: 8 }, (_, index) => ({ node: `${zone}-${index}`, isOnHost: false })),
    );
    const way = { from: 'b-1', family: 'IPv6', protocol: 'UDP' } as const;

    const asked = crossingsTo([...ends, ...ends], way);

    expect(asked).toHaveLength(8);
    expect(new Set(asked.map(({ to }) => to.slice(0, 1)))).toEqual(new Set(['a', 'b', 'c', 'd']));
    expect(asked[0]).toEqual({ ...way, to: 'a-0' });
    expect(crossingsTo(ends.slice(8, 17), way).map(({ to }) => to)).toEqual([
      'b-0',
      'b-2',
      'b-3',
      'b-4',
      'b-5',
      'b-6',
      'b-7',
      'c-0',
    ]);
  });
});
