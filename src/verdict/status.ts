import type { Condition, ConnectivityTest, ExpectationStatus, LastRun, Status, Verdict } from '../api/index.ts';
import type { Row } from './conclude.ts';
import { type DesiredCondition, mergeConditions } from './condition.ts';
import { damped } from './damping.ts';
import { worst } from './judge.ts';

/** The status that a finished run leaves. `now` is RFC 3339. */
export function statusAfterRun(
  test: ConnectivityTest,
  observed: readonly Row[],
  lastRun: LastRun,
  now: string,
  runRequest: string | undefined,
): Status {
  const previous = test.status;
  const rows = dampedRows(test, observed);
  const expectations = withTimes(previous?.expectations ?? [], rows, now);
  const summary = summarise(rows);
  const verdict = worst(rows)?.verdict ?? 'Skipped';
  const accepted: DesiredCondition = {
    type: 'Accepted',
    status: 'True',
    reason: 'Accepted',
    message: 'The test is valid and runs.',
  };
  // What damping shows is no proof: only what this run saw is.
  const lastSuccessTime = worst(observed)?.verdict === 'Passed' ? now : previous?.lastSuccessTime;
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

/** The rows as they are shown. What was shown of an older spec speaks of other expectations. */
function dampedRows({ spec, status, metadata }: ConnectivityTest, rows: readonly Row[]): readonly Row[] {
  const shown = status?.observedGeneration === metadata.generation ? (status.expectations ?? []) : [];
  const before = new Map(shown.map((row) => [row.name, row]));
  return rows.map((row) => damped(row, before.get(row.name), spec.thresholds));
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

/** The status of a test whose runs fail to come: an old pass is no pass. The rows stay, as what was seen last. */
export function statusStale(test: ConnectivityTest, now: string): Status {
  const stale = {
    status: 'Unknown',
    reason: 'Stale',
    message: `The newest verdicts are of ${test.status?.lastRun?.completionTime ?? 'an unknown time'}, and two runs that were due since are missing. Look at the operator's log and metrics for what holds them up.`,
  } as const;
  return {
    observedGeneration: test.metadata.generation,
    ...test.status,
    verdict: 'Inconclusive',
    conditions: conditions(
      test,
      [
        { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'The test is valid.' },
        { type: 'Passed', ...stale },
        { type: 'Ready', ...stale },
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
    (unproven === 0 ? '' : ` Beside that, ${unproven} proved nothing either way.`) +
    dampedNote(rows);
  return [
    { type: 'Passed', status, reason, message },
    // A gate must not open on anything but a pass, nor stay undecided on a run that proved nothing. Where nothing counts,
    // there is nothing to decide.
    { type: 'Ready', status: verdict === 'Inconclusive' ? 'False' : status, reason, message },
  ];
}

/** What the verdict leaves out because `spec.thresholds` says so. */
function dampedNote(rows: readonly Row[]): string {
  const names = rows.filter(({ observed }) => observed !== undefined).map(({ name }) => name);
  if (names.length === 0) return '';
  const more = names.length > 4 ? ` and ${names.length - 4} more` : '';
  return ` The newest runs saw something else, which spec.thresholds damps: ${names.slice(0, 4).join(', ')}${more} (see status.expectations.observed).`;
}

function defaultMessage(verdict: Verdict): string {
  return verdict === 'Passed'
    ? 'Every expectation passed.'
    : 'Every expectation is a dry run, so nothing counts. Set dryRun to false on those that should.';
}

/** The first one's sentences, what was seen before what explains it, and the names of a few more; theirs stand in their rows. */
export function listed(rows: readonly Pick<Row, 'name' | 'message' | 'explanation'>[]): string {
  const [first, ...others] = rows;
  const shown = others.slice(0, 4).map(({ name }) => name);
  const more = others.length > shown.length ? ` and ${others.length - shown.length} more` : '';
  const also = shown.length === 0 ? '' : ` Also: ${shown.join(', ')}${more} (see status.expectations).`;
  const why = first?.explanation === undefined ? '' : ` ${first.explanation.message}`;
  return `${first?.name ?? ''}: ${first?.message ?? ''}${why}${also}`;
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
