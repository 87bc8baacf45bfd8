import type { ExpectationStatus, Reason, Specification } from '../api/index.ts';
import { isRefusal } from '../plan/index.ts';
import type { Row } from './conclude.ts';

/**
 * The row that is shown: what the newest run came to, or what was shown before with that beside it, where `spec.thresholds` asks
 * for more runs that agree. Only an Allow's way out of Passed and the way back into it are damped; a Deny that does not pass
 * shows at once, since it may be a hole, and so does what an Allow of a block excepts.
 */
export function damped(
  row: Row,
  previous: ExpectationStatus | undefined,
  thresholds: Specification['thresholds'],
): Row {
  // Nobody may look any longer: that is no flapping, and what was shown before does not hold.
  if (isRefusal(row)) return row;
  if (previous === undefined || previous.verdict === 'Skipped' || row.verdict === 'Skipped') return row;
  const isPass = row.verdict === 'Passed';
  if (isPass === (previous.verdict === 'Passed')) return row;
  if (!isPass && (row.expect === 'Deny' || isHole(row))) return row;
  const needed = (isPass ? thresholds?.passes : thresholds?.failures) ?? 1;
  // Where the run before came to something else than was shown, it came to the same as this one.
  const runs = (previous.observed?.runs ?? 0) + 1;
  if (runs >= needed) return row;
  const { since: _, ...shown } = previous;
  const { verdict, reason, message } = row;
  return { ...shown, observed: { verdict, reason, message, runs, needed } };
}

/** Whether something connected that must not, be it excused for now. */
function isHole({ reason, excusedRuns }: Row): boolean {
  return excusedRuns !== undefined || holes.includes(reason);
}
const holes: readonly Reason[] = ['UnexpectedlyReachable', 'ReachedClosedPort', 'ReachedThenReset'];

/** What the newest run came to, whether or not the row says so. */
export function observedVerdict({ verdict, observed }: Pick<Row, 'verdict' | 'observed'>): Row['verdict'] {
  return observed?.verdict ?? verdict;
}
