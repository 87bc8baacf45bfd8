import { describe, expect, it } from 'vitest';
import { createMetrics, type ExpectationReport, type TestReport } from './index.ts';

const BUILD = { version: '0.1.0', revision: 'abc' };

function expectation(overrides: Partial<ExpectationReport> = {}): ExpectationReport {
  return {
    name: 'web-not-db',
    expect: 'Deny',
    severity: 'Critical',
    source: 'Deployment/web',
    target: 'StatefulSet/db',
    port: '5432',
    protocol: 'TCP',
    dryRun: false,
    verdict: 'Failed',
    damped: false,
    ...overrides,
  };
}

function report(overrides: Partial<TestReport> = {}): TestReport {
  return {
    namespace: 'shop',
    test: 'boundaries',
    suspended: false,
    periodSeconds: 300,
    accepted: true,
    expectations: [expectation()],
    lastRun: { completedAtSeconds: 1_700_000_000, durationSeconds: 6.5, apiRequests: 12, probePods: 2 },
    lastSuccessSeconds: 1_699_999_000,
    ...overrides,
  };
}

async function linesOf(metrics: { expose(): Promise<string> }, pattern: RegExp): Promise<string[]> {
  return (await metrics.expose()).split('\n').filter((line) => !line.startsWith('#') && pattern.test(line));
}

const OF_THE_TEST = /namespace="shop",test="boundaries"/;

describe('reportTest', () => {
  it('exports a state set and the info of each expectation', async () => {
    const metrics = createMetrics(BUILD);

    metrics.reportTest(report());

    expect(await linesOf(metrics, /^postern_expectation_(verdict|info)/)).toEqual([
      'postern_expectation_verdict{namespace="shop",test="boundaries",expectation="web-not-db",verdict="Passed"} 0',
      'postern_expectation_verdict{namespace="shop",test="boundaries",expectation="web-not-db",verdict="Failed"} 1',
      'postern_expectation_verdict{namespace="shop",test="boundaries",expectation="web-not-db",verdict="Inconclusive"} 0',
      'postern_expectation_verdict{namespace="shop",test="boundaries",expectation="web-not-db",verdict="Skipped"} 0',
      'postern_expectation_info{namespace="shop",test="boundaries",expectation="web-not-db",expect="Deny",severity="Critical",source="Deployment/web",target="StatefulSet/db",port="5432",protocol="TCP",dry_run="false"} 1',
    ]);
  });

  it.each([true, false])('says whether a verdict is damped: %s', async (damped) => {
    const metrics = createMetrics(BUILD);

    metrics.reportTest(report({ expectations: [expectation({ damped })] }));

    expect(await linesOf(metrics, /^postern_expectation_damped/)).toEqual([
      `postern_expectation_damped{namespace="shop",test="boundaries",expectation="web-not-db"} ${damped ? 1 : 0}`,
    ]);
  });

  it('exports what the last run cost', async () => {
    const metrics = createMetrics(BUILD);

    metrics.reportTest(report());

    expect(await linesOf(metrics, /^postern_(test|period|last|run)_.*namespace=/)).toEqual([
      'postern_test_accepted{namespace="shop",test="boundaries"} 1',
      'postern_period_seconds{namespace="shop",test="boundaries"} 300',
      'postern_last_run_timestamp_seconds{namespace="shop",test="boundaries"} 1700000000',
      'postern_last_success_timestamp_seconds{namespace="shop",test="boundaries"} 1699999000',
      'postern_run_duration_seconds{namespace="shop",test="boundaries"} 6.5',
      'postern_run_api_requests{namespace="shop",test="boundaries"} 12',
      'postern_run_probe_pods{namespace="shop",test="boundaries"} 2',
    ]);
  });

  it('shows no verdict and no run before the first result', async () => {
    const metrics = createMetrics(BUILD);

    metrics.reportTest(
      report({
        expectations: [expectation({ verdict: undefined })],
        lastRun: undefined,
        lastSuccessSeconds: undefined,
      }),
    );

    const verdicts = await linesOf(metrics, /^postern_expectation_verdict/);
    expect(verdicts.map((line) => line.slice(-1))).toEqual(['0', '0', '0', '0']);
    expect(await linesOf(metrics, /^postern_(last|run)_.*namespace=/)).toEqual([]);
  });

  it('replaces every series of the test: no renamed expectation and no old label stays', async () => {
    const metrics = createMetrics(BUILD);
    metrics.reportTest(report());

    metrics.reportTest(report({ expectations: [expectation({ name: 'renamed', port: '5433', verdict: 'Passed' })] }));

    expect(await linesOf(metrics, /web-not-db|5432/)).toEqual([]);
    expect(await linesOf(metrics, /expectation="renamed"/)).toHaveLength(6);
  });

  it('removes every series of a suspended test', async () => {
    const metrics = createMetrics(BUILD);
    metrics.reportTest(report());

    metrics.reportTest(report({ suspended: true }));

    expect(await linesOf(metrics, OF_THE_TEST)).toEqual([]);
  });

  it('bounds what users wrote and takes control characters out of it', async () => {
    const metrics = createMetrics(BUILD);

    metrics.reportTest(report({ expectations: [expectation({ target: `\u001b[31mdb\u202e"${'x'.repeat(400)}` })] }));

    const [info = ''] = await linesOf(metrics, /^postern_expectation_info/);
    expect(info).toContain('target="db\\"xxx');
    expect(info.length).toBeLessThan(600);
  });
});

describe('forgetTest', () => {
  it('removes the series of that test alone', async () => {
    const metrics = createMetrics(BUILD);
    metrics.reportTest(report());
    metrics.reportTest(report({ test: 'other' }));

    metrics.forgetTest('shop', 'boundaries');

    expect(await linesOf(metrics, OF_THE_TEST)).toEqual([]);
    expect(await linesOf(metrics, /test="other"/)).not.toEqual([]);
  });

  it('does nothing for a test that never reported', () => {
    const metrics = createMetrics(BUILD);

    expect(() => metrics.forgetTest('shop', 'unknown')).not.toThrow();
  });
});

describe('counters', () => {
  it('start at 0 wherever their labels are a closed set', async () => {
    const metrics = createMetrics(BUILD);

    expect(await linesOf(metrics, /^postern_runs_total/)).toEqual([
      'postern_runs_total{result="passed"} 0',
      'postern_runs_total{result="failed"} 0',
      'postern_runs_total{result="inconclusive"} 0',
    ]);
    expect(await linesOf(metrics, /^postern_probe_attempts_total\{outcome="TimedOut",protocol="TCP"\} 0/)).toHaveLength(
      1,
    );
    expect(await linesOf(metrics, /^postern_build_info/)).toEqual([
      'postern_build_info{version="0.1.0",revision="abc"} 1',
    ]);
  });

  it('fold what is outside of a closed set into one series', async () => {
    const metrics = createMetrics(BUILD);

    metrics.countAttempt('10.0.0.1: broken pipe', 'QUIC');
    metrics.countAttempt('another surprise', 'QUIC');

    expect(await linesOf(metrics, /Other/)).toEqual([
      'postern_probe_attempts_total{outcome="Other",protocol="Other"} 2',
    ]);
  });

  it('tell how often the policies say what was seen, and what it is where they do not', async () => {
    const metrics = createMetrics(BUILD);
    const pattern = /^postern_model_comparisons_total/;
    const before = await linesOf(metrics, pattern);

    metrics.countComparison('Agrees', undefined);
    metrics.countComparison('ModelDenies', 'OutsideTheModel');

    expect(before).toHaveLength(13);
    expect(before.every((line) => line.endsWith(' 0'))).toBe(true);
    expect((await linesOf(metrics, pattern)).filter((line) => !line.endsWith(' 0'))).toEqual([
      'postern_model_comparisons_total{agreement="Agrees",cause="None"} 1',
      'postern_model_comparisons_total{agreement="ModelDenies",cause="OutsideTheModel"} 1',
    ]);
  });

  it('count ways between nodes, each result from 0 on', async () => {
    const metrics = createMetrics(BUILD);

    metrics.countCrossing('NotCrossed');

    expect(await linesOf(metrics, /^postern_node_crossings_total/)).toEqual([
      'postern_node_crossings_total{result="Crossed"} 0',
      'postern_node_crossings_total{result="NotCrossed"} 1',
      'postern_node_crossings_total{result="NotTried"} 0',
    ]);
  });

  it('count runs, attempts and pods', async () => {
    const metrics = createMetrics(BUILD);

    metrics.countRun('failed');
    metrics.countAttempt('TimedOut', 'TCP');
    metrics.observeProbeStart(1.2);
    metrics.observeConnect('TCP', 0.004);
    metrics.observeConvergence('TCP', 2.5);
    metrics.setProbePods({ Running: 3 });
    metrics.setProbePods({ Pending: 1 });

    const text = await metrics.expose();
    expect(text).toContain('postern_runs_total{result="failed"} 1');
    expect(text).toContain('postern_probe_attempts_total{outcome="TimedOut",protocol="TCP"} 1');
    expect(text).toContain('postern_probe_start_duration_seconds_count 1');
    expect(text).toContain('postern_probe_connect_duration_seconds_count{protocol="TCP"} 1');
    expect(text).toContain('postern_convergence_duration_seconds_sum{protocol="TCP"} 2.5');
    expect(text).toContain('postern_probe_pods{phase="Running"} 0');
    expect(text).toContain('postern_probe_pods{phase="Pending"} 1');
  });
});

describe('machinery', () => {
  it('is named as controller-runtime names it', async () => {
    const metrics = createMetrics(BUILD);
    const queue = metrics.queueObserver('connectivitytest');

    queue.onAdd();
    queue.onDepth(1);
    queue.onRetry();
    queue.onQueueDuration(0.2);
    queue.onWorkDuration(0.3);
    metrics.registerController('connectivitytest');
    metrics.observeReconcile({ controller: 'connectivitytest', result: 'requeue_after', seconds: 0.1 });

    const text = await metrics.expose();
    const labels = '{name="connectivitytest",controller="connectivitytest"}';
    expect(text).toContain(`workqueue_adds_total${labels} 1`);
    expect(text).toContain(`workqueue_depth${labels} 1`);
    expect(text).toContain(`workqueue_retries_total${labels} 1`);
    expect(text).toContain(`workqueue_queue_duration_seconds_count${labels} 1`);
    expect(text).toContain(`workqueue_work_duration_seconds_count${labels} 1`);
    expect(text).toContain(
      'controller_runtime_reconcile_total{controller="connectivitytest",result="requeue_after"} 1',
    );
    expect(text).toContain('controller_runtime_reconcile_total{controller="connectivitytest",result="error"} 0');
    expect(text).toContain('controller_runtime_reconcile_time_seconds_count{controller="connectivitytest"} 1');
  });

  it('counts requests and leaves watches out of the durations', async () => {
    const { kubeRequests, ...metrics } = createMetrics(BUILD);

    kubeRequests.onRequest({ verb: 'create', resource: 'pods', code: 201, seconds: 0.02 });
    kubeRequests.onRequest({ verb: 'watch', resource: 'pods', code: 200, seconds: 300 });

    expect(await linesOf(metrics, /^postern_kube_requests_total/)).toEqual([
      'postern_kube_requests_total{verb="create",resource="pods",code="201"} 1',
      'postern_kube_requests_total{verb="watch",resource="pods",code="200"} 1',
    ]);
    expect(await linesOf(metrics, /^postern_kube_request_duration_seconds_count/)).toEqual([
      'postern_kube_request_duration_seconds_count{verb="create"} 1',
    ]);
  });

  it('tells a reflector that lists again from one that watches on', async () => {
    const metrics = createMetrics(BUILD);
    const pods = metrics.reflectorObserver('pods');

    pods.onList();
    pods.onObjects(7);
    pods.onEvent(1_700_000_000);
    pods.onWatchEnd('expired');
    pods.onWatchEnd('socket hang up');

    expect(await linesOf(metrics, /^postern_reflector.* [1-9]\d*$/)).toEqual([
      'postern_reflector_lists_total{resource="pods"} 1',
      'postern_reflector_watch_ends_total{resource="pods",reason="expired"} 1',
      'postern_reflector_watch_ends_total{resource="pods",reason="other"} 1',
      'postern_reflector_objects{resource="pods"} 7',
      'postern_reflector_last_event_timestamp_seconds{resource="pods"} 1700000000',
    ]);
  });
});

describe('createMetrics', () => {
  it('keeps two operators in one process apart', async () => {
    const first = createMetrics(BUILD);
    const second = createMetrics(BUILD);

    first.countRun('passed');

    expect(await linesOf(second, /^postern_runs_total\{result="passed"\}/)).toEqual([
      'postern_runs_total{result="passed"} 0',
    ]);
  });

  it('shows the process itself', async () => {
    const metrics = createMetrics(BUILD);

    expect(await linesOf(metrics, /^process_resident_memory_bytes /)).toHaveLength(1);
  });
});

describe('reportCalibration', () => {
  const OF_CALIBRATION = /^postern_(calibration|policy|fresh)/;
  const report = (denials: Record<string, Record<'ingress' | 'egress', string>>) => ({
    denials: Object.keys(denials).length === 0 ? {} : { IPv4: denials },
    measuredAtSeconds: 1_700_000_000,
    periodSeconds: 3600,
    freshPodDelaySeconds: 1.24,
  });

  it('says nothing about enforcement before there is a result', async () => {
    const metrics = createMetrics(BUILD);

    expect(await linesOf(metrics, OF_CALIBRATION)).toEqual([
      'postern_calibration_valid 0',
      'postern_calibration_period_seconds 0',
      'postern_calibrations_total{result="succeeded"} 0',
      'postern_calibrations_total{result="failed"} 0',
    ]);
  });

  it('exports how the cluster denies, and when that was measured', async () => {
    const metrics = createMetrics(BUILD);

    metrics.reportCalibration(report({ TCP: { ingress: 'TimedOut', egress: 'Connected' } }));
    metrics.countCalibration('succeeded');

    expect(await linesOf(metrics, OF_CALIBRATION)).toEqual([
      'postern_calibration_outcome{direction="ingress",protocol="TCP",family="IPv4",outcome="TimedOut"} 1',
      'postern_calibration_outcome{direction="egress",protocol="TCP",family="IPv4",outcome="Connected"} 1',
      'postern_policy_enforced{direction="ingress",protocol="TCP",family="IPv4"} 1',
      'postern_policy_enforced{direction="egress",protocol="TCP",family="IPv4"} 0',
      'postern_calibration_valid 1',
      'postern_calibration_period_seconds 3600',
      'postern_calibration_last_success_timestamp_seconds 1700000000',
      'postern_fresh_pod_delay_seconds 1.24',
      'postern_calibrations_total{result="succeeded"} 1',
      'postern_calibrations_total{result="failed"} 0',
    ]);
  });

  it('removes what no longer holds', async () => {
    const metrics = createMetrics(BUILD);
    metrics.reportCalibration(report({ TCP: { ingress: 'TimedOut', egress: 'Connected' } }));

    metrics.reportCalibration(report({}));

    expect(await linesOf(metrics, /^postern_(calibration_outcome|policy)/)).toEqual([]);
    expect(await linesOf(metrics, /^postern_calibration_valid/)).toEqual(['postern_calibration_valid 0']);
  });
});
