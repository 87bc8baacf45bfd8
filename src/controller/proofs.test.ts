import { describe, expect, it } from 'vitest';
import type { ConnectivityTest } from '../api/index.ts';
import { planFor } from '../plan/index.ts';
import type { Observation } from '../probe/index.ts';
import type { Run } from '../runner/index.ts';
import { podOf, viewOf } from '../testing/cluster-view.ts';
import { cachesOf, circumstances, pods, runOf, silence, test } from '../testing/finished-run.ts';
import type { Crossing, CrossingState } from '../verdict/index.ts';
import { concludedStatus } from './conclusion.ts';
import type { Circumstances } from './evidence.ts';
import { crossingsWaitMs, heartbeatWaitMs, missingCrossings } from './proofs.ts';

describe('a readiness probe as the only control', () => {
  /** The probe took from 45 990 to 50 000. */
  const heard = (at: number | undefined): Circumstances =>
    circumstances({ caches: cachesOf(viewOf({ pods }), { heardOf: (node) => (node === 'node-1' ? at : undefined) }) });

  it.each<[string, number | undefined, string]>([
    ['was heard of while the probe dialled', 46_000, 'Denied'],
    ['was heard of afterwards', 58_000, 'Denied'],
    ['was heard of only before', 45_000, 'NoTargetControl'],
    ['was never heard of', undefined, 'NoTargetControl'],
  ])('counts only if the node %s', (_, at, reason) => {
    expect(concludedStatus(test, runOf(), heard(at)).status.expectations).toMatchObject([{ reason }]);
  });

  it('says what it lacks', () => {
    const message = expect.stringContaining('has not renewed its Lease since the probe began');

    expect(concludedStatus(test, runOf(), heard(45_000)).status.expectations).toMatchObject([{ message }]);
  });

  it.each<[string, Run, Circumstances, number, number]>([
    ['waits until its node is heard of', runOf(), heard(45_000), 51_000, 14_000],
    ['waits no longer than a node may take', runOf(), heard(45_000), 65_000, 0],
    ['waits for no node that was heard of', runOf(), heard(46_000), 51_000, 0],
    [
      'waits for none on which no verdict depends',
      runOf({}, { ...silence, outcome: 'Connected' }),
      heard(0),
      51_000,
      0,
    ],
  ])('%s', (_, run, seen, monotonic, waitMs) => {
    expect(heartbeatWaitMs(test, run, seen, monotonic)).toBe(waitMs);
  });

  it('is waited for by a dry run as well, whose sentence says what it would have come to', () => {
    const expectations = test.spec.expectations.map((each) => ({ ...each, dryRun: true }));
    const dry = { ...test, spec: { ...test.spec, expectations } };
    const run = runOf({ plan: planFor(dry, viewOf({ pods })) });

    expect(heartbeatWaitMs(dry, run, heard(undefined), 51_000)).toBe(
      heartbeatWaitMs(test, runOf(), heard(undefined), 51_000),
    );
    expect(heartbeatWaitMs(dry, run, heard(undefined), 51_000)).toBeGreaterThan(0);
  });

  it('is not waited for while probes have not reported', () => {
    const run = runOf();
    for (const probe of run.probes) delete probe.report;

    expect(heartbeatWaitMs(test, run, heard(undefined), 51_000)).toBe(0);
  });
});

describe('the way between two nodes', () => {
  const way: Crossing = { from: 'node-0', to: 'node-1', family: 'IPv4', protocol: 'TCP' };
  /** The probe ran on that node. */
  const from = (node: string, parts: Partial<Run> = {}, seen = silence): Run => {
    const run = runOf(parts, seen);
    const probes = run.probes.map((probe) => ({
      ...probe,
      ...(probe.report === undefined ? {} : { report: { ...probe.report, node } }),
    }));
    return { ...run, probes };
  };
  const under = (state: CrossingState, since?: (moment: number) => void): Circumstances =>
    circumstances({
      crossings: {
        stateSince: (crossing, moment) => {
          expect(crossing).toEqual(way);
          since?.(moment);
          return state;
        },
      },
    });
  const reasonOf = (run: Run, seen: Circumstances) =>
    concludedStatus(test, run, seen).status.expectations?.map(({ verdict, reason }) => `${verdict} ${reason}`);

  it.each<[CrossingState, string, string]>([
    ['Crossed', 'Passed Denied', 'got no answer'],
    ['NotCrossed', 'Inconclusive NoPathControl', 'could not connect between these nodes either'],
    ['NotTried', 'Inconclusive NoPathControl', 'could not run on both'],
    ['Unknown', 'Inconclusive NoPathControl', 'not known in time'],
  ])('that is %s makes of silence from beyond it: %s', (state, verdict, words) => {
    const { status } = concludedStatus(test, from('node-0'), under(state));

    expect(status.expectations?.map((row) => `${row.verdict} ${row.reason}`)).toEqual([verdict]);
    expect(status.expectations?.[0]?.message).toContain(words);
  });

  it('is tried again as a lost probe is, where it is not shown', () => {
    const brokenRunsAfter = (state: CrossingState) =>
      concludedStatus(test, from('node-0'), under(state)).status.lastRun?.brokenRuns;

    expect(brokenRunsAfter('NotTried')).toBe(1);
    expect(brokenRunsAfter('NotCrossed')).toBe(1);
    expect(brokenRunsAfter('Crossed')).toBeUndefined();
  });

  it('is asked for since the run began', () => {
    const moments: number[] = [];

    concludedStatus(
      test,
      from('node-0', { begunAt: 47_000 }),
      under('Crossed', (moment) => moments.push(moment)),
    );

    expect(new Set(moments)).toEqual(new Set([47_000]));
  });

  it('is nothing to a connection, nor to silence of the same node', () => {
    const connected = { ...silence, outcome: 'Connected', firstOutcome: 'Connected' } as const;

    expect(reasonOf(from('node-0', {}, connected), under('NotCrossed'))).toEqual(['Failed UnexpectedlyReachable']);
    expect(reasonOf(from('node-1'), under('NotCrossed'))).toEqual(['Passed Denied']);
  });

  it('is waited for while nobody knows, but not for ever', () => {
    expect(crossingsWaitMs(test, from('node-0'), under('Unknown'), 51_000)).toBe(59_000);
    expect(crossingsWaitMs(test, from('node-0'), under('Unknown'), 110_000)).toBe(0);
    for (const state of ['Crossed', 'NotCrossed', 'NotTried'] as const) {
      expect(crossingsWaitMs(test, from('node-0'), under(state), 51_000)).toBe(0);
    }
    expect(crossingsWaitMs(test, from('node-1'), under('Unknown'), 51_000)).toBe(0);
  });

  it('is hardly waited for beside what has failed, and not at all by that itself', () => {
    const [deny] = test.spec.expectations;
    if (deny === undefined) throw new Error('no expectation');
    const open = podOf('open', { labels: { app: 'open' }, ip: '10.0.0.8' });
    const both = { matchExpressions: [{ key: 'app', operator: 'In' as const, values: ['db', 'open'] }] };
    const other = { ...deny, name: 'web-not-either', to: { pods: both, port: 5432 } };
    const view = viewOf({ pods: [...pods, open] });
    const runFor = (expectations: (typeof deny)[]): [ConnectivityTest, Run] => {
      const declared = { ...test, spec: { ...test.spec, expectations } };
      const run = from('node-0', { plan: planFor(declared, view) });
      const probes = run.probes.map((probe) => {
        const observations = new Map(
          probe.assignment.checks.map(({ id, address }) => {
            const outcome: Observation['outcome'] = address === '10.0.0.8' ? 'Connected' : 'TimedOut';
            return [id, { ...silence, outcome, firstOutcome: outcome }];
          }),
        );
        return probe.report === undefined ? probe : { ...probe, report: { ...probe.report, observations } };
      });
      return [declared, { ...run, probes }];
    };
    const waitOf = ([declared, run]: [ConnectivityTest, Run]) =>
      crossingsWaitMs(declared, run, { ...under('Unknown'), caches: cachesOf(view) }, 51_000);

    expect(waitOf(runFor([other]))).toBe(0);
    expect(waitOf(runFor([deny, other]))).toBe(9_000);
  });

  it('is missing where a verdict lacks it', () => {
    expect(missingCrossings(test, from('node-0'), under('Unknown'))).toEqual([way]);
    expect(missingCrossings(test, from('node-0'), under('Crossed'))).toEqual([]);
    expect(missingCrossings(test, from('node-1'), under('Unknown'))).toEqual([]);
  });

  describe('of a run that is under way', () => {
    const pending = (): Run => {
      const run = runOf();
      for (const probe of run.probes) delete probe.report;
      return run;
    };
    const onNode = (nodeName: string | undefined): Circumstances =>
      circumstances({
        caches: cachesOf(viewOf({ pods }), {
          podNamed: () => podOf('p', { spec: nodeName === undefined ? {} : { nodeName } }),
        }),
      });

    it('is asked for as soon as its probe has a node', () => {
      expect(missingCrossings(test, pending(), onNode('node-0'))).toEqual([way]);
      expect(missingCrossings(test, pending(), onNode('node-1'))).toEqual([]);
      expect(missingCrossings(test, pending(), onNode(undefined))).toEqual([]);
      expect(crossingsWaitMs(test, pending(), onNode('node-0'), 51_000)).toBe(0);
    });

    it('is nothing to who is content with silence', () => {
      const [deny] = test.spec.expectations;
      if (deny === undefined) throw new Error('no expectation');
      const content = { ...deny, control: { mode: 'UnreachableIsEnough' as const } };
      const plan = planFor({ ...test, spec: { ...test.spec, expectations: [content] } }, viewOf({ pods }));
      const run = runOf({ plan });
      for (const probe of run.probes) delete probe.report;

      expect(missingCrossings(test, run, onNode('node-0'))).toEqual([]);
    });

    it('is left to an Allow that will show it', () => {
      const [deny] = test.spec.expectations;
      if (deny === undefined) throw new Error('no expectation');
      const allow = { ...deny, name: 'web-db', expect: 'Allow' } as const;
      const plan = planFor({ ...test, spec: { ...test.spec, expectations: [deny, allow] } }, viewOf({ pods }));
      const run = runOf({ plan });
      for (const probe of run.probes) delete probe.report;

      expect(missingCrossings(test, run, onNode('node-0'))).toEqual([]);
    });
  });

  it('leads to the pods behind an address', () => {
    const [deny] = test.spec.expectations;
    if (deny === undefined) throw new Error('no expectation');
    const expectations = [{ ...deny, to: { ip: '10.96.0.9', port: 5432 } }];
    const byAddress = { ...test, spec: { ...test.spec, expectations } };
    const run = runOf({ plan: planFor(byAddress, viewOf({ pods })) });
    for (const probe of run.probes) delete probe.report;
    const caches = cachesOf(viewOf({ pods }), {
      podNamed: () => podOf('p', { spec: { nodeName: 'node-0' } }),
      endsBehind: (address) => (address === '10.96.0.9' ? [{ node: 'node-1', isOnHost: false }] : []),
    });

    expect(missingCrossings(byAddress, run, circumstances({ caches }))).toEqual([way]);
  });

  it('leads to the resolver that a question of DNS goes to', () => {
    const [deny] = test.spec.expectations;
    if (deny === undefined) throw new Error('no expectation');
    const asks = { ...deny, to: { dns: { name: 'db.example' } } };
    const answers = {
      ...asks,
      name: 'db-resolves',
      from: { pods: { matchLabels: { app: 'db' } } },
      expect: 'Allow',
    } as const;
    const byName = { ...test, spec: { ...test.spec, expectations: [asks, answers] } };
    const resolver = podOf('coredns', {
      namespace: 'kube-system',
      labels: { 'k8s-app': 'kube-dns' },
      spec: { nodeName: 'node-1' },
    });
    const view = viewOf({ pods: [...pods, resolver] });
    const plan = planFor(byName, view);
    const probes = runOf({ plan }).probes.map((probe, index) => ({
      ...probe,
      report: {
        checks: probe.assignment.checks,
        node: index === 0 ? 'node-0' : 'node-1',
        family: 'IPv4' as const,
        resolverAnswered: true,
        observations: new Map(
          probe.assignment.checks.map(({ id, mode }) => [
            id,
            mode === 'guard'
              ? silence
              : { ...silence, outcome: 'Connected' as const, firstOutcome: 'Connected' as const },
          ]),
        ),
      },
    }));
    const drop = { ingress: 'TimedOut', egress: 'TimedOut' } as const;
    const seen = circumstances({ caches: cachesOf(view), denials: { IPv4: { TCP: drop, UDP: drop } } });

    expect(missingCrossings(byName, { ...runOf({ plan }), probes }, seen)).toEqual([{ ...way, protocol: 'UDP' }]);
  });
});
