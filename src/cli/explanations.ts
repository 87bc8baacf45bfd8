import type { ConnectivityTest, Expectation, KubeObject, Pod } from '../api/index.ts';
import {
  type Edit,
  editLines,
  explain,
  type Explanation,
  type Finding,
  type FindingCode,
  type PlaceInWords,
  placeOfFinding,
  type Subject,
} from '../explanation/index.ts';
import { protocolOf, serviceNamedBy } from '../plan/index.ts';
import type { PolicyModel, Question } from '../policy/index.ts';
import { escapeUnseen } from '../text/index.ts';
import { type Effect, effectInWords, type EffectOf } from './edit-effect.ts';
import type { Declared, LocatedPrediction, Reading } from './world.ts';

/** What explanations are made from. */
export interface Predicted {
  readonly predictions: readonly LocatedPrediction[];
  readonly model: PolicyModel;
  readonly declared: Declared;
  readonly reading: Reading;
  readonly effectOf: EffectOf;
}

/** Explains the connection that a prediction rests on; undefined where nobody can say which one that is. */
export function explanationOf(
  { test, expectation, question: asked }: Pick<LocatedPrediction, 'test' | 'expectation' | 'question'>,
  { model, declared, reading, predictions }: Omit<Predicted, 'effectOf'>,
): Explanation | undefined {
  const question = asked ?? unasked(test, expectation, declared);
  if (question === undefined) return undefined;
  const service = serviceOf(test, expectation, declared);
  const subject: Subject = {
    question,
    // Names have to resolve before a connection can be allowed or denied.
    expected: expectedOf(question, expectation),
    workloads: { source: sourceOf(test, expectation, declared), destination: destinationOf(question, model, declared) },
    profile: reading.profile,
    others: predictions.flatMap(({ question, expectation }) =>
      question === undefined ? [] : [{ question, expected: expectedOf(question, expectation) }],
    ),
    ...(service === undefined ? {} : { service }),
  };
  return explain(model, subject);
}

function expectedOf(question: Question, expectation: Expectation): Expectation['expect'] {
  return isForNames(question, expectation) ? 'Allow' : expectation.expect;
}

/** An explanation whose edits were tried on every expectation. */
export interface TriedExplanation extends Explanation {
  /** Tries an edit that is shown; undefined where so many were shown that this one is not tried any more. */
  effectOf(edit: Edit): Effect | undefined;
}

/** Edits that are tried before one is shown that breaks an expectation: what comes after them is far from the mistake. */
const mostTried = 6;

/** Explains a prediction, with what breaks no expectation that passes now before what does. */
export function triedExplanationOf(prediction: LocatedPrediction, predicted: Predicted): TriedExplanation | undefined {
  const explanation = explanationOf(prediction, predicted);
  if (explanation === undefined) return undefined;
  const { findings, together } = explanation;
  const effectOf = (edit: Edit): Effect | undefined => predicted.effectOf(prediction, edit);
  return { ...explanation, findings: together === undefined ? harmlessFirst(findings, effectOf) : findings, effectOf };
}

/** The findings with the first harmless edit, and its finding, in front. */
function harmlessFirst(findings: readonly Finding[], effectOf: (edit: Edit) => Effect | undefined): readonly Finding[] {
  const candidates = findings.flatMap((finding) =>
    finding.isEnough ? finding.edits.map((edit) => ({ finding, edit })) : [],
  );
  const chosen = candidates.slice(0, mostTried).find(({ edit }) => effectOf(edit)?.breaks.length === 0);
  if (chosen === undefined) return findings;
  const { finding, edit } = chosen;
  const edits = [edit, ...finding.edits.filter((each) => each !== edit)];
  return [{ ...finding, edits }, ...findings.filter((each) => each !== finding)];
}

/** A host name is looked up first, and that look-up is what failed. */
function isForNames({ port }: Question, { to }: Expectation): boolean {
  return to.host !== undefined && port === 53 && to.port !== 53;
}

function serviceOf({ metadata }: ConnectivityTest, { to }: Expectation, { cluster }: Declared): Subject['service'] {
  const named =
    to.service === undefined
      ? serviceNamedBy(to.host ?? '')
      : { namespace: to.service.namespace ?? metadata.namespace, name: to.service.name };
  const service = named && cluster.view.service(named.namespace, named.name);
  const port = service?.spec.ports?.find(({ name, port }) => to.port === name || to.port === port)?.port;
  return named === undefined || port === undefined ? undefined : { ...named, port };
}

function sourceOf({ metadata }: ConnectivityTest, { from }: Expectation, declared: Declared): KubeObject | undefined {
  const { workload } = from;
  if (workload === undefined) return undefined;
  return writtenAs(workload.kind, metadata.namespace, workload.name, declared);
}

function writtenAs(kind: string, namespace: string, name: string, { inventory }: Declared): KubeObject | undefined {
  const all: readonly KubeObject[] = [...inventory.workloads, ...inventory.pods];
  return all.find(
    ({ kind: own, metadata }) => own === kind && metadata.name === name && metadata.namespace === namespace,
  );
}

/** The workload that a pod's labels are written in: the manifest of its owner, or of its owner's owner. */
function destinationOf(
  { destination }: Question,
  { world }: PolicyModel,
  { inventory }: Declared,
): KubeObject | undefined {
  if (destination.kind !== 'pod') return undefined;
  const isIt = ({ metadata }: Pod): boolean =>
    metadata.name === destination.name && metadata.namespace === destination.namespace;
  const owner = world.pods.find(isIt)?.metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (owner === undefined) return undefined;
  return inventory.workloads.find(({ metadata, kind }) => {
    const isOwner = kind === owner.kind && metadata.name === owner.name;
    const isAbove = owner.kind === 'ReplicaSet' && kind === 'Deployment' && isReplicaSetOf(owner.name, metadata.name);
    return metadata.namespace === destination.namespace && (isOwner || isAbove);
  });
}

/** `web-7d9f8` is Deployment web's: its name and a hash without dashes. */
function isReplicaSetOf(replicaSet: string, deployment: string): boolean {
  return replicaSet.startsWith(`${deployment}-`) && !replicaSet.slice(deployment.length + 1).includes('-');
}

/** A target that a plan does not probe, such as one of the host network, can be asked about all the same. */
function unasked(
  test: ConnectivityTest,
  expectation: Expectation,
  { cluster, inventory }: Declared,
): Question | undefined {
  const { from, to } = expectation;
  const { namespace } = test.metadata;
  if (typeof to.port !== 'number' || to.workload === undefined || from.workload === undefined) return undefined;
  const endpointOf = ({ kind, name }: { readonly kind: string; readonly name: string }) => {
    const uid = writtenAs(kind, namespace, name, { cluster, inventory, problems: [] })?.metadata.uid;
    const pod = cluster.view
      .pods(namespace)
      .find(({ metadata }) =>
        metadata.ownerReferences === undefined
          ? metadata.uid === uid
          : metadata.ownerReferences.some((owner) => owner.uid === uid),
      );
    return pod === undefined ? undefined : { kind: 'pod' as const, namespace, name: pod.metadata.name };
  };
  const [source, destination] = [endpointOf(from.workload), endpointOf(to.workload)];
  if (source === undefined || destination === undefined) return undefined;
  return { source, destination, protocol: protocolOf(expectation), port: to.port };
}

/** What a row of a report shows of an explanation: what is most probably wrong, and the edit as lines. */
export interface Cure {
  readonly code: FindingCode;
  readonly message: string;
  /** Where the mistake is, unless the edit says it. */
  readonly at?: string;
  /** Empty where no edit of these manifests is known to help. */
  readonly edit: readonly string[];
  /** What the edit does, as far as the given tests and manifests show it. */
  readonly effect?: string;
  /** Other edits, in words. */
  readonly or: readonly string[];
}

/** The cure for a prediction that is not as expected, that network plugins would differ on, or that no policy can turn. */
export function cureOf(prediction: LocatedPrediction, predicted: Predicted): Cure | undefined {
  const { verdict, reason } = prediction;
  if (verdict !== 'Failed' && reason !== 'LeftOpen' && reason !== 'TargetNotSupported') return undefined;
  const explanation = triedExplanationOf(prediction, predicted);
  const [first] = explanation?.findings ?? [];
  if (explanation === undefined || first === undefined) return undefined;
  const edit = explanation.together ?? first.edits[0];
  const effect = edit && explanation.effectOf(edit);
  const others = explanation.together === undefined ? first.edits.slice(1) : [];
  const place = placesIn(predicted.declared);
  const at = placeOfFinding(first, place);
  return {
    code: first.code,
    message: first.message,
    ...(at === undefined ? {} : { at }),
    edit: edit === undefined ? [] : editLines(edit, place),
    ...(effect === undefined ? {} : { effect: effectInWords(effect) }),
    or: others.map(({ summary }) => summary),
  };
}

/** `NetworkPolicy shop/web (policies.yaml:32), spec.podSelector`. */
export function placesIn({ inventory }: Declared): PlaceInWords {
  return (object, path) => {
    const { namespace } = object;
    const name = `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${object.name}`;
    const position = inventory.originOf(object)?.at(path);
    const where = position === undefined ? name : `${name} (${position.file}:${position.line})`;
    return path === '' ? where : `${where}, ${path}`;
  };
}

/** A line that is safe to show and keeps its spaces, unlike a sentence. */
export function alignedLine(line: string): string {
  return escapeUnseen(line.replaceAll(/[\n\r\u2028\u2029]/g, ' '));
}
