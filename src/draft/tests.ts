import { createHash } from 'node:crypto';
import type { ConnectivityTest, Expectation, Specification } from '../api/index.ts';
import { planFor } from '../plan/index.ts';
import {
  type Knowledge,
  type KnownCluster,
  policyInWords,
  type Prediction,
  predictTests,
} from '../prediction/index.ts';
import { plainText } from '../text/index.ts';
import { type Candidate, candidatesIn, connectionWords } from './candidate.ts';
import { spokenAt, targetFor } from './door.ts';
import { namedBy, type Workload } from './workload.ts';

/** A test as it is written down. */
export interface TestManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: Specification;
}

export interface DraftedTest {
  readonly test: TestManifest;
  /** Names of its Denies that neither an Allow of it nor a readiness probe proves: something else has to show that their targets answer. */
  readonly withoutControl: readonly string[];
  /** Names of its Denies from sources that no Allow of it is about: something else has to show that they can send. */
  readonly withoutSender: readonly string[];
}

export interface DraftedTests {
  readonly tests: readonly DraftedTest[];
  /** What is not drafted and why, one sentence each. */
  readonly leftOut: readonly string[];
}

/**
 * Tests of what the policies of a cluster admit and of the denials next to it, by namespace of the source. Each expectation is a
 * dry run, and the model predicts it to pass: what it leaves open, and what a test cannot name, is left out and said so.
 */
export function draftTests(
  cluster: KnownCluster,
  knowledge: Knowledge,
  isWanted: (namespace: string) => boolean = () => true,
): DraftedTests {
  const { candidates, restricted, leftOut } = candidatesIn(cluster);
  const drafts: Draft[] = [];
  const unnamed: string[] = [];
  for (const candidate of candidates.filter(({ source }) => isWanted(source.namespace))) {
    const draft = draftOf(candidate, cluster);
    if (typeof draft === 'string') unnamed.push(draft);
    else drafts.push(draft);
  }
  drafts.push(
    ...restricted
      .filter(({ namespace }) => isWanted(namespace))
      .flatMap((workload) => resolverDrafts(workload, cluster)),
  );
  const parts = [...Map.groupBy(drafts, ({ namespace }) => namespace)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([namespace, members]) => partsOf(namespace, withNames(members), cluster));
  const { predicted } = predictTests(
    parts.map(({ test }) => test),
    cluster,
    knowledge,
  );
  const failed: string[] = [];
  const confirmed = predicted.map(({ test, plan, predictions }, index) => {
    const expectations = test.spec.expectations.flatMap((expectation, position): readonly Expectation[] => {
      const prediction = predictions[position];
      if (prediction?.verdict === 'Passed') return [asDryRun(expectation, prediction)];
      const draft = parts[index]?.drafts[position];
      failed.push(`${draft?.words}: ${(prediction?.verdict === 'Failed' && draft?.ifFailed) || prediction?.message}`);
      return [];
    });
    const ready = plan.lines.filter(({ checks }) => checks.every(({ target }) => target.readinessProved));
    return {
      test: { ...test, spec: { ...test.spec, expectations } },
      ready: new Set(ready.map(({ expectation }) => expectation.name)),
    };
  });
  const tests = Map.groupBy(
    confirmed.filter(({ test }) => test.spec.expectations.length > 0),
    ({ test }) => test.metadata.namespace,
  );
  return {
    tests: [...tests.values()].flatMap((own) =>
      own.map(({ test, ready }) => ({
        test: asManifest(test),
        withoutControl: unproved(test, ready),
        withoutSender: mute(test),
      })),
    ),
    leftOut: [...unnamed, ...failed, ...leftOut],
  };
}

interface Draft {
  readonly namespace: string;
  readonly name: string;
  /** Drafts of one group prove each other, so that they stay in one test. */
  readonly group: string;
  readonly words: string;
  /** What to say instead of the prediction where it is no surprise that it fails. */
  readonly ifFailed?: string;
  readonly asked: Omit<Expectation, 'name'>;
}

function draftOf({ source, door, expect }: Candidate, cluster: KnownCluster): Draft | string {
  const { namespace } = source;
  const words = connectionWords(source, door);
  const from = namedBy(source, cluster.view);
  const to = targetFor(door, namespace, cluster);
  const spoken = spokenAt(door);
  if (from === undefined || to === undefined) {
    const unnamed = from === undefined ? source : door.workload;
    return `${words}: no selector means ${unnamed.words} alone. Give its pods a label of their own.`;
  }
  if (spoken === undefined) {
    return `${words}: which datagram is answered there is not known. Write an expectation with \`udp: {payload: …}\`.`;
  }
  const { workload, port, protocol } = door;
  const target = workload.namespace === namespace ? workload.name : `${workload.namespace}-${workload.name}`;
  const verb = expect === 'Allow' ? 'reaches' : 'does-not-reach';
  return {
    namespace,
    name: `${source.name}-${verb}-${target}-${protocol === 'UDP' ? 'udp-' : ''}${port}`,
    group: `${workload.words} ${protocol} ${port}`,
    words,
    asked: { from, to, ...spoken, expect },
  };
}

/** Whether a workload whose egress is restricted may resolve names, by either protocol: an answer too long for UDP comes by TCP. */
function resolverDrafts(source: Workload, { view }: KnownCluster): readonly Draft[] {
  const from = namedBy(source, view);
  if (from === undefined) return [];
  const to = { dns: { name: 'kubernetes.default.svc' } };
  return (['UDP', 'TCP'] as const).map((protocol) => ({
    namespace: source.namespace,
    name: `${source.name}-resolves-names${protocol === 'TCP' ? '-by-tcp' : ''}`,
    group: 'names',
    words: `${source.words} -> its own DNS resolver by ${protocol}`,
    ifFailed: 'no rule admits it, and applications that connect by name need it.',
    asked: { from, to, ...(protocol === 'TCP' ? { protocol } : {}), expect: 'Allow' as const },
  }));
}

interface NamedDraft extends Draft {
  readonly expectation: Expectation;
}

const longestName = 63;

/** Unique names of RFC 1123, the same for the same connection whatever else there is. */
function withNames(drafts: readonly Draft[]): readonly NamedDraft[] {
  const written = drafts.map(({ name }) => name.toLowerCase().replaceAll(/[^-a-z0-9]/g, '-'));
  const counts = Map.groupBy(written, (name) => name);
  return drafts.map((draft, index) => {
    const name = written[index] ?? '';
    const isPlain = name === draft.name && name.length <= longestName && counts.get(name)?.length === 1;
    const hash = createHash('sha256')
      .update(JSON.stringify([draft.words, draft.asked]))
      .digest('hex')
      .slice(0, 8);
    return {
      ...draft,
      expectation: { name: isPlain ? name : `${name.slice(0, longestName - 9)}-${hash}`, ...draft.asked },
    };
  });
}

interface Part {
  readonly test: ConnectivityTest;
  readonly drafts: readonly NamedDraft[];
}

/** As many tests as it takes for each to fit into one run; what proves each other stays together as long as it fits. */
function partsOf(namespace: string, drafts: readonly NamedDraft[], { view }: KnownCluster): readonly Part[] {
  const groups = [...Map.groupBy(drafts, ({ group }) => group).values()];
  const split = (members: readonly (readonly NamedDraft[])[]): readonly (readonly NamedDraft[])[] => {
    const [only, another] = members;
    if (only === undefined || fits(testOf(namespace, members.flat(), 0))) return [members.flat()];
    const pieces = another === undefined ? only.map((draft) => [draft]) : members;
    const half = Math.ceil(pieces.length / 2);
    return pieces.length === 1 ? [members.flat()] : [...split(pieces.slice(0, half)), ...split(pieces.slice(half))];
  };
  const fits = (test: ConnectivityTest): boolean => {
    if (test.spec.expectations.length > mostExpectations) return false;
    const { lines, assignments } = planFor(test, view);
    const isOverfull = lines.some(({ findings }) => findings.some(({ reason }) => reason === 'LimitExceeded'));
    return !isOverfull && assignments.length <= mostProbePods;
  };
  return split(groups).map((members, index) => ({ drafts: members, test: testOf(namespace, members, index) }));
}

const mostExpectations = 128;
/** What the chart's `probe.maxPodsPerTest` is, unless an administrator raises it. */
const mostProbePods = 64;

function testOf(namespace: string, drafts: readonly NamedDraft[], index: number): ConnectivityTest {
  const name = index === 0 ? 'drafted-from-policies' : `drafted-from-policies-${index + 1}`;
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'ConnectivityTest',
    metadata: { name, namespace, uid: `draft/${namespace}/${name}`, generation: 1 },
    spec: { expectations: drafts.map(({ expectation }) => expectation) },
  };
}

const longestDescription = 256;

/** Measured and shown without counting, until somebody has read it: a policy's mistake is drafted as faithfully as its purpose. */
function asDryRun({ name, ...asked }: Expectation, { parts }: Prediction): Expectation {
  const isAllow = asked.expect === 'Allow';
  const rules = parts.filter(({ path }) => /^spec\.(ingress|egress)\[\d+\]$/.test(path));
  const named = (rules.length === 0 ? parts : rules).map(
    ({ policy, path }) => `${policyInWords(policy)}${isAllow ? ` (${path})` : ''}`,
  );
  const basis = `${isAllow ? 'admitted' : 'closed'} by ${[...new Set(named)].join(', ')}`;
  const description = plainText(`Drafted because it is ${basis}. To be reviewed.`, longestDescription);
  return { name, description, ...asked, dryRun: true };
}

function unproved({ spec: { expectations } }: ConnectivityTest, ready: ReadonlySet<string>): readonly string[] {
  const doorOf = ({ to, protocol }: Expectation): string => JSON.stringify([to, protocol]);
  const shown = new Set(expectations.filter(({ expect }) => expect === 'Allow').map(doorOf));
  return expectations
    .filter((each) => each.expect === 'Deny' && !shown.has(doorOf(each)) && !ready.has(each.name))
    .map(({ name }) => name);
}

function mute({ spec: { expectations } }: ConnectivityTest): readonly string[] {
  const sourceOf = ({ from }: Expectation): string => JSON.stringify(from);
  const sending = new Set(expectations.filter(({ expect }) => expect === 'Allow').map(sourceOf));
  return expectations.filter((each) => each.expect === 'Deny' && !sending.has(sourceOf(each))).map(({ name }) => name);
}

function asManifest({ apiVersion, kind, metadata, spec }: ConnectivityTest): TestManifest {
  const { name, namespace } = metadata;
  return { apiVersion, kind, metadata: { name, namespace }, spec };
}
