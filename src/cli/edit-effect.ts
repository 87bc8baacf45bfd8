import type { ConnectivityTest, KubeObject, Verdict } from '../api/index.ts';
import { applyEdit, type Edit, objectReference } from '../explanation/index.ts';
import { clusterOf } from '../manifests/index.ts';
import { counted } from '../report/index.ts';
import { changedConnections } from './changed-connections.ts';
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

/** What an edit would do that was made for a prediction. */
export type EffectOf = (prediction: LocatedPrediction, edit: Edit) => Effect;

/** Tries edits on all expectations of the tests, each edit once. */
export function effectsOn(
  tests: readonly ConnectivityTest[],
  declared: Declared,
  reading: Reading,
  predictions: readonly LocatedPrediction[],
): EffectOf {
  const before = new Map(predictions.map((each) => [nameOf(each), each.verdict]));
  const tried = new Map<string, ReturnType<typeof outcomeOf>>();
  const outcomeOf = (edit: Edit) => {
    const after = withEdit(declared, edit);
    const rows = changedConnections(declared.cluster, after.cluster, reading.profile);
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
export function withEdit({ inventory, problems }: Declared, edit: Edit): Declared {
  const edited = {
    ...inventory,
    policies: applyEdit(inventory.policies, edit),
    namespaces: applyEdit(inventory.namespaces, changesOf(inventory.namespaces, edit)),
    workloads: applyEdit(inventory.workloads, changesOf(inventory.workloads, edit)),
    pods: applyEdit(inventory.pods, changesOf(inventory.pods, edit)),
  };
  return { inventory: edited, cluster: clusterOf(edited), problems };
}

/** The changes of objects that are there: only policies are ever added. */
function changesOf(objects: readonly KubeObject[], { summary, changes }: Edit): Edit {
  const isIt = (object: KubeObject, reference: Edit['changes'][number]['object']): boolean => {
    const own = objectReference(object);
    return (
      own.kind === reference.kind &&
      own.group === reference.group &&
      own.name === reference.name &&
      own.namespace === reference.namespace
    );
  };
  return { summary, changes: changes.filter(({ object }) => objects.some((each) => isIt(each, object))) };
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
