import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { ConnectivityTest, Expectation, KubeObject, Pod, Status } from '../api/index.ts';
import { systemClock } from '../clock/index.ts';
import { createEventRecorder, type KubeClient } from '../kube/index.ts';
import { createMetrics } from '../metrics/index.ts';
import { CompiledPolicies } from '../policy/index.ts';
import { planFor } from '../plan/index.ts';
import { problemSentences, verdictTable } from '../report/index.ts';
import { reportOf, trouble } from '../runner/collect.ts';
import type { Run } from '../runner/index.ts';
import { runRequestOf } from '../schedule/index.ts';
import { expectationOf, podOf, policyOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { harmful, hostileText, hostileTexts } from '../testing/hostile-text.ts';
import { announcementsOf, reportOfTest } from './announce.ts';
import { concludedStatus } from './conclusion.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

// Everything that a run writes, shows or exports, where all that others may choose is hostile: selectors, labels, annotations, what
// kubelet and scheduler say about the probe pod, and what stands in its termination message.

const nonce = 'abcdefghijklmnop';

/** A test whose sources, targets and controls are selected by hostile labels. */
function hostileTest(text: string): ConnectivityTest {
  const pods: Expectation['from']['pods'] = {
    matchLabels: { app: text, [text]: 'x' },
    matchExpressions: [{ key: text, operator: 'Exists' }],
  };
  const selected = { pods };
  return testOf(
    [
      expectationOf({ name: 'denied', from: selected, to: { pods, port: 5432 }, expect: 'Deny' }),
      expectationOf({ name: 'allowed', from: selected, to: { ip: '10.9.9.9', port: 1 }, expect: 'Allow' }),
      expectationOf({ name: 'absent', from: { pods: { matchLabels: { gone: text } } }, to: { pods, port: 1 } }),
      expectationOf({ name: 'dry', from: selected, to: { pods, port: 5432 }, expect: 'Deny', dryRun: true }),
    ],
    { annotations: { 'postern.dev/run-requested-at': text } },
  );
}

/** What may be said of a probe pod. */
function hostilePods(text: string): readonly (Pod | undefined)[] {
  const pod = podOf('postern-probe-x');
  const told = (status: Pod['status']): Pod => ({ ...pod, status: { phase: 'Pending', ...status } });
  const container = (state: NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]['state']) =>
    told({ containerStatuses: [{ name: 'probe', ...(state === undefined ? {} : { state }) }] });
  return [
    container({ terminated: { exitCode: 0, reason: text, message: text } }),
    container({ terminated: { exitCode: 0, message: `postern/1 ${nonce} 1\n0 Cc 1 1 Cc ${text}\nend ${nonce} A\n` } }),
    container({ waiting: { reason: `Image${text}`, message: text } }),
    container({ waiting: { reason: text, message: text } }),
    told({ phase: 'Failed', reason: text, message: text }),
    told({ conditions: [{ type: 'PodScheduled', status: 'False', message: text }] }),
    undefined,
  ];
}

/** The status after a run in which each probe pod met this. */
function statusAfter(test: ConnectivityTest, text: string, pod: Pod | undefined): Status {
  const labels = { app: text, [text]: 'x' };
  const caches = viewOf({
    pods: [podOf('web', { labels })],
    policies: [policyOf(text, { matchLabels: labels })],
  });
  const plan = planFor(test, caches);
  const probes = plan.assignments.map((assignment) => {
    const probe = { name: 'postern-probe-x', namespace: 'shop', nonce, assignment, seen: true };
    return { ...probe, report: reportOf(probe, pod, true) ?? trouble(probe, 'ProbeRejected', text) };
  });
  const runRequest = runRequestOf(test);
  const run: Run = {
    id: 'run',
    startedAt: 0,
    begunAt: 0,
    delaySeconds: 0,
    deadline: 1,
    apiRequests: 1,
    trigger: 'Spec',
    generation: 1,
    fingerprint: 'f',
    plan,
    readySince: new Map(),
    probes,
    ...(runRequest === undefined ? {} : { runRequest }),
  };
  return concludedStatus(test, run, {
    isDisturbed: false,
    disturbedRuns: 0,
    caches: { ...caches, heardOf: () => 0, endsBehind: () => [], podNamed: () => undefined },
    crossings: { stateSince: () => 'NotTried' },
    changes: { latest: () => undefined },
    denials: {},
    freshPodDelayMs: 0,
    seenAt: 0,
    policies: { view: caches, compiled: new CompiledPolicies(), unreadKinds: [] },
  }).status;
}

/** The events that a status leads to, as they are sent. */
async function eventsOf(test: ConnectivityTest, status: Status): Promise<readonly KubeObject[]> {
  const sent: KubeObject[] = [];
  const client: Pick<KubeClient, 'create'> = {
    create: (_, object) => {
      sent.push(object);
      return Promise.resolve(object);
    },
  };
  const quiet = (): void => {};
  const recorder = createEventRecorder({
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it creates and does nothing else
    client: client as KubeClient,
    component: 'postern.dev/operator',
    instance: 'postern-0',
    clock: systemClock,
    log: { debug: quiet, info: quiet, warn: quiet },
  });
  const { signal } = new AbortController();
  for (const announcement of announcementsOf(undefined, status)) {
    await recorder.record({ regarding: test, action: 'Verify', ...announcement, signal });
  }
  return sent;
}

/** Every text in a value, keys included. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [key, ...textsIn(member)]);
}

async function expectHarmless(text: string): Promise<void> {
  const test = hostileTest(text);
  for (const pod of hostilePods(text)) {
    const status = statusAfter(test, text, pod);
    const metrics = createMetrics({ version: '1', revision: 'test' });
    metrics.reportTest(reportOfTest(test, status));
    const after = { ...test, status };
    const lines = [
      ...textsIn(status),
      ...textsIn(await eventsOf(test, status)),
      ...(await metrics.expose()).split('\n'),
      ...verdictTable([after]).split('\n'),
      ...problemSentences([after]),
    ];

    // One row each, under a heading: nothing broke a line.
    expect(verdictTable([after]).split('\n')).toHaveLength(5);
    for (const line of lines) expect(line).not.toMatch(harmful);
    for (const { message, control = '' } of status.expectations ?? []) {
      expect(message.length).toBeLessThanOrEqual(1024);
      expect(control.length).toBeLessThanOrEqual(256);
    }
    expect(status.expectations?.filter(({ verdict }) => verdict !== 'Inconclusive' && verdict !== 'Skipped')).toEqual(
      [],
    );
  }
}

describe('what a run writes and shows', () => {
  it.each(hostileTexts)('is harmless where others wrote %s', async (_, text) => {
    await expectHarmless(text);
  });

  it('is harmless, whatever others wrote', async () => {
    await fc.assert(fc.asyncProperty(hostileText, expectHarmless), { numRuns: 50 });
  });

  it('is harmless in a table of a status that somebody else wrote', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const row = { name: text, expect: text, reason: 'Denied', message: text, since: text } as const;
        const test = hostileTest('web');
        const named = { ...test, metadata: { ...test.metadata, name: text, namespace: text } };
        const after = { ...named, status: { expectations: [{ ...row, verdict: 'Failed' as const }] } };

        for (const line of [...verdictTable([after]).split('\n'), ...problemSentences([after])]) {
          expect(line).not.toMatch(harmful);
        }
      }),
    );
  });
});
