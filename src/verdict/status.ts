import type { Condition, ConnectivityTest, ExpectationStatus, LastRun, Status, Verdict } from '../api/index.ts';
import type { Row } from './conclude.ts';
import { type DesiredCondition, mergeConditions } from './condition.ts';
import { worst } from './judge.ts';

/** The status that a finished run leaves. `now` is RFC 3339. */
export function statusAfterRun(
  test: ConnectivityTest,
  rows: readonly Row[],
  lastRun: LastRun,
  now: string,
  runRequest: string | undefined,
): Status {
  const previous = test.status;
  const expectations = withTimes(previous?.expectations ?? [], rows, now);
  const summary = summarise(rows);
  const verdict = worst(rows)?.verdict ?? 'Skipped';
  const accepted: DesiredCondition = {
    type: 'Accepted',
    status: 'True',
    reason: 'Accepted',
    message: 'The test is valid and runs.',
  };
  const lastSuccessTime = verdict === 'Passed' ? now : previous?.lastSuccessTime;
  return {
    observedGeneration: test.metadata.generation,
    verdict,
    summary,
    lastRun,
    ...(lastSuccessTime === undefined ? {} : { lastSuccessTime }),
    ...(runRequest === undefined ? {} : { lastHandledRunRequest: runRequest }),
    expectations,
    conditions: conditions(test, [accepted, ...verdictConditions(verdict, rows)], now),
    probeReplicas: 0,
  };
}

/**
 * The status of a test that waits for its first verdicts, or for those of a new spec. Verdicts of an older spec stay, and
 * with them the generation that they speak of; only the conditions speak of the new one.
 */
export function statusPending(test: ConnectivityTest, now: string): Status {
  const wait = {
    status: 'Unknown',
    reason: 'NoResultYet',
    message: 'The first run of this spec is under way.',
  } as const;
  return {
    observedGeneration: test.metadata.generation,
    ...test.status,
    conditions: conditions(
      test,
      [
        { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'The test is valid and runs.' },
        { type: 'Passed', ...wait },
        { type: 'Ready', ...wait },
      ],
      now,
    ),
    probeReplicas: 0,
  };
}

/** The status of a suspended test: old verdicts are not shown as if they still held. */
export function statusSuspended(test: ConnectivityTest, rows: readonly Row[], now: string): Status {
  const suspended = {
    status: 'Unknown',
    reason: 'Suspended',
    message: 'The test is suspended (spec.suspend).',
  } as const;
  return {
    observedGeneration: test.metadata.generation,
    verdict: 'Skipped',
    summary: summarise(rows),
    ...(test.status?.lastRun === undefined ? {} : { lastRun: test.status.lastRun }),
    ...(test.status?.lastSuccessTime === undefined ? {} : { lastSuccessTime: test.status.lastSuccessTime }),
    expectations: withTimes(test.status?.expectations ?? [], rows, now),
    conditions: conditions(
      test,
      [
        { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'The test is valid.' },
        { type: 'Passed', ...suspended },
        { type: 'Ready', ...suspended },
      ],
      now,
    ),
    probeReplicas: 0,
  };
}

function conditions(test: ConnectivityTest, desired: readonly DesiredCondition[], now: string): Condition[] {
  return mergeConditions(test.status?.conditions ?? [], desired, test.metadata.generation, now);
}

function verdictConditions(verdict: Verdict, rows: readonly Row[]): readonly DesiredCondition[] {
  const of = (wanted: Verdict) => rows.filter((row) => row.verdict === wanted);
  const [status, reason, concerned] = ((): readonly [DesiredCondition['status'], string, readonly Row[]] => {
    switch (verdict) {
      case 'Passed':
        return ['True', 'AllPassed', []];
      case 'Failed':
        return ['False', 'ExpectationsViolated', of('Failed')];
      case 'Inconclusive':
        return ['Unknown', 'Inconclusive', of('Inconclusive')];
      case 'Skipped':
        return ['Unknown', 'NothingCounts', []];
    }
  })();
  const unproven = verdict === 'Failed' ? of('Inconclusive').length : 0;
  const message =
    (concerned.length === 0 ? defaultMessage(verdict) : listed(concerned)) +
    (unproven === 0 ? '' : ` Beside that, ${unproven} proved nothing either way.`);
  return [
    { type: 'Passed', status, reason, message },
    // A gate must not open on anything but a pass, nor stay undecided on a run that proved nothing. Where nothing counts,
    // there is nothing to decide.
    { type: 'Ready', status: verdict === 'Inconclusive' ? 'False' : status, reason, message },
  ];
}

function defaultMessage(verdict: Verdict): string {
  return verdict === 'Passed'
    ? 'Every expectation passed.'
    : 'Every expectation is a dry run, so nothing counts. Set dryRun to false on those that should.';
}

/** The first one's sentence, and the names of a few more; their sentences stand in their rows. */
export function listed(rows: readonly Pick<Row, 'name' | 'message'>[]): string {
  const [first, ...others] = rows;
  const shown = others.slice(0, 4).map(({ name }) => name);
  const more = others.length > shown.length ? ` and ${others.length - shown.length} more` : '';
  const also = shown.length === 0 ? '' : ` Also: ${shown.join(', ')}${more} (see status.expectations).`;
  return `${first?.name ?? ''}: ${first?.message ?? ''}${also}`;
}

function withTimes(previous: readonly ExpectationStatus[], rows: readonly Row[], now: string): ExpectationStatus[] {
  const before = new Map(previous.map((row) => [row.name, row]));
  return rows.map((row) => {
    const old = before.get(row.name);
    return { ...row, since: old !== undefined && old.verdict === row.verdict ? old.since : now };
  });
}

function summarise(rows: readonly Row[]): NonNullable<Status['summary']> {
  const count = (verdict: Verdict) => rows.filter((row) => row.verdict === verdict).length;
  const [passed, failed, inconclusive, skipped] = [
    count('Passed'),
    count('Failed'),
    count('Inconclusive'),
    count('Skipped'),
  ];
  return { display: `${passed}/${rows.length - skipped}`, total: rows.length, passed, failed, inconclusive, skipped };
}
