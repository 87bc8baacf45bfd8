import type { ConnectivityTest, KubeObject, Verdict } from '../api/index.ts';
import { applyEdit, type Edit, objectReference } from '../explanation/index.ts';
import { clusterOf } from '../manifests/index.ts';
import { counted } from '../report/index.ts';
import { changesFrom } from './changed-connections.ts';
import { type Declared, type LocatedPrediction, predictAll, type Reading } from './world.ts';

/** What an edit does besides what it was made for, as far as the given tests and manifests show it. */
export interface Effect {
  /** Of the expectation that it was made for, once it is applied. */
  readonly verdict: Verdict;
  /** Other expectations that pass now and would not, and the reverse: `shop/boundaries: web-reaches-api`. */
  readonly breaks: readonly string[];
  readonly turns: readonly string[];
  /** Connections between workloads, and with the outside, as `postern diff` counts them. */
  readonly opens: number;
  readonly closes: number;
  /** Connections whose answer was open and is not any more, and the reverse. */
  readonly settles: number;
  readonly unsettles: number;
}

/** What an edit would do that was made for a prediction; undefined if that was not tried. */
export type EffectOf = (prediction: LocatedPrediction, edit: Edit) => Effect | undefined;

/** Each edit takes all predictions anew: of hundreds of failures people cure the first ones, and run the command again. */
const mostEdits = 20;

/** Tries edits on all expectations of the tests, each edit once. */
export function effectsOn(
  tests: readonly ConnectivityTest[],
  declared: Declared,
  reading: Reading,
  predictions: readonly LocatedPrediction[],
): EffectOf {
  const before = new Map(predictions.map((each) => [nameOf(each), each.verdict]));
  const tried = new Map<string, ReturnType<typeof outcomeOf>>();
  let changesTo: ReturnType<typeof changesFrom> | undefined;
  const outcomeOf = (edit: Edit) => {
    const after = withEdit(declared, edit);
    changesTo ??= changesFrom(declared.cluster, reading.profile);
    const rows = changesTo(after.cluster);
    const isSettled = (answer: string): boolean => answer === 'allow' || answer === 'deny';
    const uncertain = rows.filter(({ change }) => change === 'Uncertain');
    const settles = uncertain.filter((row) => isSettled(row.after)).length;
    return {
      verdicts: new Map(predictAll(tests, after, reading).predictions.map((each) => [nameOf(each), each.verdict])),
      opens: rows.filter(({ change }) => change === 'Opened').length,
      closes: rows.filter(({ change }) => change === 'Closed').length,
      settles,
      unsettles: uncertain.length - settles,
    };
  };
  return (prediction, edit) => {
    const key = JSON.stringify(edit.changes);
    if (tried.size >= mostEdits && !tried.has(key)) return undefined;
    const outcome = tried.get(key) ?? outcomeOf(edit);
    tried.set(key, outcome);
    const { verdicts, ...connections } = outcome;
    const own = nameOf(prediction);
    const others = [...verdicts].filter(([name, verdict]) => name !== own && before.get(name) !== verdict);
    return {
      verdict: verdicts.get(own) ?? prediction.verdict,
      breaks: others.flatMap(([name]) => (before.get(name) === 'Passed' ? [name] : [])),
      turns: others.flatMap(([name, verdict]) => (verdict === 'Passed' ? [name] : [])),
      ...connections,
    };
  };
}

function nameOf({ test, expectation }: LocatedPrediction): string {
  const { namespace, name } = test.metadata;
  return `${namespace === '' ? '' : `${namespace}/`}${name}: ${expectation.name}`;
}

/** What the manifests would declare with an edit applied to them. */
export function withEdit({ inventory, cluster, problems }: Declared, edit: Edit): Declared {
  const policies = applyEdit(inventory.policies, changesOf(inventory.policies, edit, 'NetworkPolicy'));
  const [namespaces, workloads, pods] = [
    applyEdit(inventory.namespaces, changesOf(inventory.namespaces, edit)),
    applyEdit(inventory.workloads, changesOf(inventory.workloads, edit)),
    applyEdit(inventory.pods, changesOf(inventory.pods, edit)),
  ];
  const edited = { ...inventory, policies, namespaces, workloads, pods };
  const isOfPolicies = edit.changes.every(({ object }) => object.kind === 'NetworkPolicy');
  if (!isOfPolicies) return { inventory: edited, cluster: clusterOf(edited), problems };
  const byNamespace = Map.groupBy(policies, ({ metadata }) => metadata.namespace);
  const view = { ...cluster.view, policies: (namespace: string) => byNamespace.get(namespace) ?? [] };
  return { inventory: edited, cluster: { ...cluster, policies, view }, problems };
}

/** The changes of objects that are there, and of those of a kind that come. */
function changesOf(objects: readonly KubeObject[], { summary, changes }: Edit, kind?: string): Edit {
  const isIt = (object: KubeObject, reference: Edit['changes'][number]['object']): boolean => {
    const own = objectReference(object);
    return (
      own.kind === reference.kind &&
      own.group === reference.group &&
      own.name === reference.name &&
      own.namespace === reference.namespace
    );
  };
  return {
    summary,
    changes: changes.filter(({ object }) => object.kind === kind || objects.some((each) => isIt(each, object))),
  };
}

const mostNames = 2;

/** The effect in a line, without what is nil. */
export function effectInWords({ verdict, turns, breaks, opens, closes, settles, unsettles }: Effect): string {
  const own = verdict === 'Passed' ? 'turns this expectation' : `leaves this expectation ${verdict}`;
  const connections = [
    ...(opens > 0 ? [`opens ${connectionsInWords(opens)}`] : []),
    ...(closes > 0 ? [`closes ${connectionsInWords(closes)}`] : []),
    ...(settles > 0 ? [`settles ${connectionsInWords(settles)} left open before`] : []),
    ...(unsettles > 0 ? [`leaves ${connectionsInWords(unsettles)} open to doubt`] : []),
  ];
  return [
    turns.length > 0 ? `${own} and ${listed(turns)}` : own,
    ...(breaks.length > 0 ? [`breaks ${listed(breaks)}`] : []),
    ...(connections.length > 0 ? [connections.join(', ')] : []),
  ].join('; ');
}

function connectionsInWords(count: number): string {
  return counted(count, 'connection', 'connections');
}

function listed(names: readonly string[]): string {
  const more = names.length - mostNames;
  return `${names.slice(0, mostNames).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
