import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { currentCluster } from '../cluster/index.ts';
import { calibrateNow, conditionOf, nextCalibration, readCalibration } from '../harness/calibration.ts';
import { kubectlFor } from '../harness/kubectl.ts';
import { posternNamespace } from '../harness/postern.ts';
import { calibrationPodsIn } from '../harness/probe-pods.ts';
import { waitFor } from '../harness/wait.ts';
import { manifests } from '../harness/workloads.ts';

const kubectl = kubectlFor(currentCluster());
const drop = { tcp: { ingress: 'TimedOut', egress: 'TimedOut' } };

interface Budget {
  readonly status?: {
    readonly expectedPods?: number;
    readonly conditions?: readonly { readonly type: string; readonly reason: string }[];
  };
}

describe('the calibration of a cluster that drops what it denies', () => {
  beforeAll(async () => {
    await nextCalibration(kubectl);
    await calibrateNow(kubectl);
  });
  afterAll(async () => {
    await kubectl(
      `delete resourcequota,poddisruptionbudget calibration-suite -n ${posternNamespace} --ignore-not-found`,
    );
  });

  it('shows that a denied connection ends in silence, whichever side denies it', async () => {
    const calibration = await waitFor(
      async () => {
        const seen = await readCalibration(kubectl);
        return conditionOf(seen, 'Calibrated') === 'True Measured' && seen;
      },
      { what: 'a result', timeoutMs: 120_000 },
    );

    expect(calibration.status?.denials).toMatchObject(drop);
    expect(conditionOf(calibration, 'Enforced')).toBe('True Enforced');
    const [head = '', row = ''] = (await kubectl('get calibration')).split('\n');
    expect(head.split(/ {2,}/).slice(0, 6)).toEqual([
      'NAME',
      'ENFORCED',
      'INGRESS-TCP',
      'EGRESS-TCP',
      'INGRESS-UDP',
      'EGRESS-UDP',
    ]);
    expect(row).toMatch(/^cluster +True +TimedOut +TimedOut /);
  });

  it('is told to Prometheus', async () => {
    const metrics = await kubectl(
      `get --raw /api/v1/namespaces/${posternNamespace}/services/postern-metrics:metrics/proxy/metrics`,
    );

    expect(metrics).toContain('postern_policy_enforced{direction="ingress",protocol="TCP",family="IPv4"} 1');
    expect(metrics).toContain('postern_policy_enforced{direction="egress",protocol="TCP",family="IPv4"} 1');
    expect(metrics).toContain(
      'postern_calibration_outcome{direction="egress",protocol="TCP",family="IPv4",outcome="TimedOut"} 1',
    );
    expect(metrics).toContain('postern_calibration_valid 1');
  });

  it('measures on request, disturbs no disruption budget of the operator, and leaves nothing behind', async () => {
    await kubectl('apply -f -', {
      input: manifests({
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'calibration-suite', namespace: posternNamespace },
        spec: { maxUnavailable: '50%', selector: { matchLabels: { 'app.kubernetes.io/name': 'postern' } } },
      }),
    });

    const budget = () => kubectl.json<Budget>(`get poddisruptionbudget calibration-suite -n ${posternNamespace}`);
    await waitFor(async () => (await budget()).status?.expectedPods === 1, {
      what: 'the disruption controller to see the operator alone',
      timeoutMs: 60_000,
    });

    const budgets: Budget[] = [];
    let most = 0;
    const over = new AbortController();
    const watching = (async (): Promise<void> => {
      while (!over.signal.aborted) {
        // Those of a second look begin while those of the first are on their way out.
        const pods = (await calibrationPodsIn(kubectl, posternNamespace)).filter(
          ({ metadata }) => metadata.deletionTimestamp === undefined,
        );
        most = Math.max(most, pods.length);
        if (pods.length > 0) {
          budgets.push(await budget());
        }
      }
    })();
    const calibration = await calibrateNow(kubectl);
    over.abort();
    await watching;

    expect(calibration.status).toMatchObject({ denials: drop, lastRun: { trigger: 'Request' } });
    expect(most).toBe(4);
    for (const { status } of budgets) {
      expect(status?.conditions?.map(({ reason }) => reason)).not.toContain('SyncFailed');
      expect(status?.expectedPods).toBe(1);
    }
    await waitFor(async () => (await calibrationPodsIn(kubectl, posternNamespace)).length === 0, {
      what: 'the calibration pods to be gone',
      timeoutMs: 30_000,
    });
  });

  it('is not repeated by an operator that starts while the result is young', async () => {
    const before = await readCalibration(kubectl);

    await kubectl(`rollout restart deployment/postern -n ${posternNamespace}`);
    await kubectl(`rollout status deployment/postern -n ${posternNamespace} --timeout=120s`);
    await waitFor(
      async () => (await kubectl(`logs -n ${posternNamespace} deployment/postern`)).includes('Caches are in sync'),
      { what: 'the new operator to begin', timeoutMs: 60_000 },
    );

    expect(await calibrationPodsIn(kubectl, posternNamespace)).toEqual([]);
    expect((await readCalibration(kubectl)).status?.lastRun).toEqual(before.status?.lastRun);
  });

  it('keeps its result when it cannot be measured again, says why, and recovers by itself', async () => {
    await kubectl('apply -f -', {
      input: manifests({
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'calibration-suite', namespace: posternNamespace },
        spec: { hard: { pods: '1' } },
      }),
    });
    const quota = `get resourcequota calibration-suite -n ${posternNamespace} -o jsonpath={.status.used.pods}`;
    await waitFor(async () => (await kubectl(quota)) === '1', { what: 'the quota to count', timeoutMs: 30_000 });

    const refused = await calibrateNow(kubectl);

    expect(conditionOf(refused, 'Calibrated')).toBe('True QuotaExceeded');
    expect(conditionOf(refused, 'Enforced')).toBe('True Enforced');
    expect(refused.status?.denials).toMatchObject(drop);

    await kubectl(`delete resourcequota calibration-suite -n ${posternNamespace}`);
    await waitFor(async () => conditionOf(await readCalibration(kubectl), 'Calibrated') === 'True Measured', {
      what: 'a retry that works',
      timeoutMs: 90_000,
    });
  });
});
