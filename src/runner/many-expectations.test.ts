import { describe, expect, it } from 'vitest';
import type { Expectation } from '../api/index.ts';
import { planFor } from '../plan/index.ts';
import { parseResult, planText } from '../probe/index.ts';
import { expectationOf, podOf, testOf, viewOf } from '../testing/cluster-view.ts';
import { concludeRun, type ProbeReport } from '../verdict/index.ts';

const nonce = 'abcdefghijklmnop';
/** The kubelet keeps so much of a termination message (Kubernetes, `pkg/kubelet/kuberuntime`: MaxContainerTerminationMessageLength). */
const messageBytes = 4096;
/** Linux takes no longer environment variable (MAX_ARG_STRLEN). */
const variableBytes = 131_072;
const pods = [podOf('web', { labels: { app: 'web' } })];
const from = { pods: { matchLabels: { app: 'web' } } };
const longName = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.example`;

/** As many expectations as a test may have, from one source, the first of them an Allow. */
function expectationsOf(parts: (index: number) => Partial<Expectation>): readonly Expectation[] {
  return Array.from({ length: 128 }, (_, index) =>
    expectationOf({ name: `n${index}`, from, expect: index === 0 ? 'Allow' : 'Deny', ...parts(index) }),
  );
}

describe('128 expectations from one source', () => {
  it.each<[string, number, (index: number) => Partial<Expectation>]>([
    [
      'to addresses',
      2,
      (index) => ({ to: { ip: `fd00:1111:2222:3333:4444:5555:6666:${7000 + index}`, port: 65_535 } }),
    ],
    ['to names', 5, (index) => ({ to: { host: longName, port: 60_000 + index } })],
    [
      'for HTTP',
      6,
      (index) => ({
        to: { ip: '10.111.111.111', port: 443 },
        expect: 'Allow',
        http: { scheme: 'HTTPS', path: `/${index}${'x'.repeat(1020)}`, status: Array.from({ length: 16 }, () => 599) },
      }),
    ],
    [
      'for datagrams',
      6,
      (index) => ({ to: { ip: '10.1.1.1', port: 1 + index }, protocol: 'UDP', udp: { payload: 'ff'.repeat(128) } }),
    ],
    ['for DNS names', 6, (index) => ({ to: { dns: { name: `n${index}.${longName}` } }, expect: 'Allow' })],
  ])('%s get a verdict each, out of %i pods whose messages hold however long they get', (_, count, parts) => {
    const test = testOf(expectationsOf(parts));
    const { lines, assignments } = planFor(test, viewOf({ pods }));
    expect(assignments).toHaveLength(count);

    const reports = assignments.map(({ checks }, index): ProbeReport => {
      expect(Buffer.byteLength(planText(checks))).toBeLessThan(variableBytes);
      // As long as fields can be read: a time of more than a day, an address with nothing left out.
      const text = checks.map(({ id, mode, host, http }) => {
        const letter = mode === 'converge' ? 'Cc' : 'Tc';
        const detail =
          http === undefined ? (host === undefined ? '-' : '1111:2222:3333:4444:5555:6666:255.255.255.255') : '200';
        return `${id} ${letter} 9999 9999999 ${letter} ${detail}`;
      });
      const message = [`postern/1 ${nonce} ${checks.length}`, ...text, `end ${nonce} A`, ''].join('\n');
      expect(Buffer.byteLength(message)).toBeLessThanOrEqual(messageBytes);
      const result = parseResult(
        message,
        nonce,
        checks.map(({ id }) => id),
      );
      if (result === undefined) throw new Error('the message cannot be read');
      return { checks, node: `node-${index}`, ...result, resolverAnswered: false };
    });
    const denied = { ingress: 'TimedOut', egress: 'TimedOut' } as const;
    const rows = concludeRun(test, {
      lines,
      reports,
      disturbed: false,
      denials: { IPv4: { TCP: denied, UDP: denied }, IPv6: { TCP: denied, UDP: denied } },
      isDelayed: () => false,
      isNodeHeard: () => true,
      endsOf: () => [],
      crossingOf: () => 'Unknown',
      targetStands: () => true,
    });

    expect(rows.map(({ name }) => name)).toEqual(test.spec.expectations.map(({ name }) => name));
    // No target has a control here. That every source's network works is shown in each of its pods, whichever node it is on.
    const wanted = test.spec.expectations.map(({ expect: expected }) =>
      expected === 'Allow' ? 'Reachable' : 'NoTargetControl',
    );
    expect(rows.map(({ reason }) => reason)).toEqual(wanted);
  });

  it('judge the source by the pod that a Deny is in, whichever that is', () => {
    const content = { mode: 'UnreachableIsEnough' } as const;
    const test = testOf(
      expectationsOf((index) => ({
        to: { ip: '10.1.1.1', port: 1 + index },
        ...(index === 0 ? {} : { control: content }),
      })),
    );
    const { lines, assignments } = planFor(test, viewOf({ pods }));
    const reports = assignments.map(({ checks }, index): ProbeReport => ({
      checks,
      node: `node-${index}`,
      resolverAnswered: false,
      observations: new Map(
        checks.map(({ id, mode }) => {
          const outcome = mode === 'converge' ? 'Connected' : 'TimedOut';
          return [id, { outcome, firstOutcome: outcome, stage: 'connect', attempts: 2, elapsedMs: 1 }] as const;
        }),
      ),
    }));

    const rows = concludeRun(test, {
      lines,
      reports,
      disturbed: false,
      denials: {},
      isDelayed: () => false,
      isNodeHeard: () => true,
      endsOf: () => [],
      crossingOf: () => 'Unknown',
      targetStands: () => true,
    });

    expect(new Set(rows.map(({ verdict }) => verdict))).toEqual(new Set(['Passed']));
  });
});
