import type { ConnectivityTest, Status } from '../api/index.ts';
import type { Line } from '../plan/index.ts';
import { concludeRun, type Row } from './conclude.ts';
import { type DesiredCondition, mergeConditions } from './condition.ts';
import { listed, statusAfterRun } from './status.ts';

/** Whether the status says all that the test may not use; also while it waits for its first verdicts, which will say so. */
export function isRefusalShown(test: ConnectivityTest, lines: readonly Line[]): boolean {
  const { status } = test;
  if (status?.lastRun === undefined || status.observedGeneration !== test.metadata.generation) return true;
  const wanted = acceptedCondition(lines);
  const accepted = status.conditions?.find(({ type }) => type === 'Accepted');
  if (wanted !== undefined && (accepted?.status !== 'False' || accepted.message !== wanted.message)) return false;
  const shown = new Map(status.expectations?.map((row) => [row.name, row]));
  return refusedRows(test, lines).every(({ name, message }) => shown.get(name)?.message === message);
}

/** The status at the moment in which something is no longer granted: old verdicts on it are not shown as if they still held. */
export function statusRefused(test: ConnectivityTest, lines: readonly Line[], now: string): Status {
  const { status } = test;
  if (status?.lastRun === undefined) throw new Error('Only verdicts that were given can be withdrawn');
  const refused = new Map(refusedRows(test, lines).map((row) => [row.name, row]));
  const rows = (status.expectations ?? []).map((row) => refused.get(row.name) ?? row);
  const after = statusAfterRun(test, rows, status.lastRun, now, status.lastHandledRunRequest);
  // No run ended now, whatever the verdicts come to.
  return { ...after, ...(status.lastSuccessTime === undefined ? {} : { lastSuccessTime: status.lastSuccessTime }) };
}

/** The status with the condition Accepted as refusals have it. What is not accepted is not ready. */
export function withRefusals(test: ConnectivityTest, status: Status, lines: readonly Line[], now: string): Status {
  const accepted = acceptedCondition(lines);
  if (accepted === undefined) return status;
  const isReady = status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  const desired = [accepted, ...(isReady === true ? [{ ...accepted, type: 'Ready' }] : [])];
  const merged = mergeConditions(test.status?.conditions ?? [], desired, test.metadata.generation, now);
  const conditions = (status.conditions ?? []).map((old) => merged.find(({ type }) => type === old.type) ?? old);
  return { ...status, conditions };
}

function acceptedCondition(lines: readonly Line[]): DesiredCondition | undefined {
  const refused = lines.flatMap(({ expectation, refusals }) =>
    refusals.slice(0, 1).map(({ reason, message }) => ({ name: expectation.name, reason, message })),
  );
  const [first] = refused;
  if (first === undefined) return undefined;
  return { type: 'Accepted', status: 'False', reason: first.reason, message: listed(refused) };
}

/** Rows of the lines that are not probed at all for being refused. */
function refusedRows(test: ConnectivityTest, lines: readonly Line[]): readonly Row[] {
  const refused = lines.filter(({ checks, refusals }) => checks.length === 0 && refusals.length > 0);
  return concludeRun(test, {
    lines: refused,
    reports: [],
    disturbed: false,
    isDelayed: () => false,
    isNodeHeard: () => false,
    endsOf: () => [],
    crossingOf: () => 'Unknown',
    denials: {},
    targetStands: () => false,
  });
}
