import type { Pod, PodSelector } from '../api/index.ts';
import { wornLabels } from '../plan/index.ts';
import { selectorMatches, tellingLabelKeys } from '../policy/index.ts';

type Labels = Readonly<Record<string, string>>;

/** As many as a test's selector may have. */
const mostTerms = 16;

/**
 * The shortest selector that is sure to mean these pods and, among those of their namespace, no others: by the labels that their
 * own controller selects by, by the most telling label, by all that they share, and then by labels that others have and they
 * have not. Labels that controllers add are no part of it. Undefined where pods carry no label, or others carry the same.
 */
export function selectorFor(
  pods: readonly Pod[],
  namespace: readonly Pod[],
  preferred: Labels = {},
): PodSelector | undefined {
  const names = new Set(pods.map(({ metadata }) => metadata.name));
  const others = namespace.filter(({ metadata }) => !names.has(metadata.name)).map(labelsOf);
  const own = pods.map(labelsOf);
  const shared = sharedLabels(own);
  if (Object.keys(shared).length === 0) return undefined;
  const only = (keys: readonly string[]): Labels =>
    Object.fromEntries(Object.entries(shared).filter(([key]) => keys.includes(key)));
  const candidates = [
    only(Object.keys(preferred).filter((key) => Object.hasOwn(shared, key) && shared[key] === preferred[key])),
    ...tellingLabelKeys.map((key) => only([key])),
    shared,
  ].filter((labels) => Object.keys(labels).length > 0 && Object.keys(labels).length <= mostTerms);
  const meets = (matchLabels: Labels) => others.filter((labels) => selectorMatches({ matchLabels }, labels));
  const found = candidates.find((labels) => meets(labels).length === 0);
  if (found !== undefined) return { matchLabels: found };
  const absent = meets(shared).map((labels) => keyOnlyIn(labels, own));
  const keys = absent.filter((key) => key !== undefined);
  if (keys.length < absent.length || Object.keys(shared).length > mostTerms) return undefined;
  const matchExpressions = [...new Set(keys)].toSorted().map((key) => ({ key, operator: 'DoesNotExist' as const }));
  if (matchExpressions.length > mostTerms) return undefined;
  return { matchLabels: shared, matchExpressions };
}

function labelsOf({ metadata }: Pod): Labels {
  return wornLabels(metadata.labels ?? {});
}

function sharedLabels([first = {}, ...rest]: readonly Labels[]): Labels {
  return Object.fromEntries(
    Object.entries(first).filter(([key, value]) =>
      rest.every((labels) => Object.hasOwn(labels, key) && labels[key] === value),
    ),
  );
}

function keyOnlyIn(labels: Labels, own: readonly Labels[]): string | undefined {
  return Object.keys(labels).find((key) => own.every((each) => !Object.hasOwn(each, key)));
}
