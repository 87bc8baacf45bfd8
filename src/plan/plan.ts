import type { ConnectivityTest, Expectation } from '../api/index.ts';
import { selectorMatches } from '../policy/index.ts';
import type { PlannedCheck } from '../probe/index.ts';
import { assign } from './assignment.ts';
import { type Scope, scopeKey } from './consent.ts';
import { type Finding, isRefusal } from './finding.ts';
import { describeSource, identitiesOf, type Identity } from './identity.ts';
import { lacksFamily, withoutFamily } from './ip-family.ts';
import { isItself, mayMeetItself, noteOnItself, pathToItself } from './itself.ts';
import { alongPaths, type PlacedIdentity } from './node-path.ts';
import { doorKey, maxOutsideControls, mayBeShownFromOutside, outsideIdentity } from './outside.ts';
import type { OwnPlace } from './own-place.ts';
import { referencesOf } from './references.ts';
import { labelKeysNamedBy } from './selector.ts';
import { type Target, targetsOf } from './target.ts';
import { type ClusterView, probeLabel } from './view.ts';

/** One source identity × one target × one port. */
export interface Check extends PlannedCheck {
  readonly identity: Identity;
  readonly target: Target;
}

/** An expectation, the checks that decide it, and what keeps it from being decided. */
export interface Line {
  readonly expectation: Expectation;
  readonly checks: readonly Check[];
  /** Checks that are to prove for a Deny that its targets answer; they have no verdict of their own. */
  readonly controls: readonly Check[];
  readonly findings: readonly Finding[];
  /** Why the test may not run as it is written: for want of consent to this line's source, target or control, or of room. */
  readonly refusals: readonly Finding[];
  readonly notes: readonly string[];
}

/** What one probe pod does. */
export interface Assignment {
  readonly identity: Identity;
  readonly checks: readonly Check[];
}

export interface Plan {
  readonly lines: readonly Line[];
  /** One per source identity, more only where an identity has more checks than fit a pod. */
  readonly assignments: readonly Assignment[];
  /** Namespaces whose objects the plan depends on. */
  readonly namespaces: readonly string[];
  /** What the plan may use, by whose consent. */
  readonly scopes: readonly Scope[];
}

/** Most checks of one run: the product of identities and targets can surprise. */
export const maxChecksPerRun = 1024;

export interface PlanOptions {
  /** With it, Postern itself shows that targets outside the cluster answer, where nobody else is to. */
  readonly place?: OwnPlace | undefined;
  /** Most probe pods of the run, Postern's own among them. Default: no limit. */
  readonly maxPods?: number | undefined;
}

/** What a run of this test would probe, seen from the cluster as it is now. */
export function planFor(test: ConnectivityTest, view: ClusterView, options: PlanOptions = {}): Plan {
  const { place, maxPods = Number.POSITIVE_INFINITY } = options;
  const { namespaces, scopes } = referencesOf(test, view);
  const world: World = { test, view, namedKeys: keysNamedByPolicies(namespaces, view), checks: new Map() };
  const asked = test.spec.expectations.map((expectation) => lineFor(expectation, world));
  // Last, when it is known who else dials these targets, and so that any other control speaks first.
  const lines = place === undefined ? asked : withOutsideControls(asked, place, world);
  const assignments = assign([...world.checks.values()]);
  if (assignments.length <= maxPods) return { lines, assignments, namespaces, scopes };
  const excess: Finding = {
    reason: 'LimitExceeded',
    message: `The test needs ${assignments.length} probe pods at once, and one test may have ${maxPods}. Narrow the selectors or split it into several tests.`,
  };
  return {
    lines: lines.map(({ expectation }) => ({ ...undialled(expectation, excess), refusals: [excess] })),
    assignments: [],
    namespaces,
    scopes,
  };
}

/** Whether what a plan may use is no longer all granted to a later plan of the same test. */
export function isRevoked(plan: Plan, now: Plan): boolean {
  const standing = new Set(now.scopes.map(scopeKey));
  return plan.scopes.some((scope) => !standing.has(scopeKey(scope)));
}

/** What all lines of a plan are made from, and the checks so far, which lines share. */
interface World {
  readonly test: ConnectivityTest;
  readonly view: ClusterView;
  /** Label keys that policies select on. */
  readonly namedKeys: ReadonlySet<string>;
  readonly checks: Map<string, Check>;
}

function lineFor(expectation: Expectation, world: World): Line {
  const { test, view } = world;
  const found = identitiesOf(test, expectation, view);
  if ('reason' in found) return undialled(expectation, found);
  const resolved = targetsOf(test, expectation, view);
  if ('reason' in resolved) return undialled(expectation, resolved);

  const findings: Finding[] = [];
  const own: Check[] = [];
  let isFull = false;
  let toItself: string | undefined;
  let isFamilyLacking = false;
  for (const identity of found.identities) {
    const obstacle = obstacleFor(identity, expectation, world);
    if (obstacle !== undefined) {
      findings.push(obstacle);
      continue;
    }
    const wearers = found.wearers.get(identity.key);
    for (const place of placesFor(expectation, identity, resolved.targets, world)) {
      if ('reason' in place) {
        findings.push(place);
        continue;
      }
      for (const target of place.targets) {
        if (isItself(wearers, target) || mayMeetItself(wearers, target)) toItself = noteOnItself;
        if (isItself(wearers, target)) continue;
        if (lacksFamily(wearers, target)) {
          isFamilyLacking = true;
          continue;
        }
        const check = checkFor(expectation, place.identity, target, world);
        if (check === undefined) isFull = true;
        else own.push(check);
      }
    }
  }
  if (isFull && findings.length === 0) {
    findings.push({
      reason: 'LimitExceeded',
      message: `The test expands to more than ${maxChecksPerRun} checks. Narrow the selectors or split it into several tests.`,
    });
  }
  if (isFamilyLacking && (own.length === 0 || expectation.ipFamilies !== undefined)) {
    findings.push(withoutFamily(describeSource(expectation), expectation.ipFamilies?.join(' or ') ?? 'of the target'));
  }
  if (own.length === 0 && findings.length === 0) findings.push(pathToItself(describeSource(expectation)));
  const controls = controlsFor(expectation, resolved.targets, world);
  const notes = [found.note, resolved.note, toItself, controls.note].filter((note) => note !== undefined);
  return { expectation, checks: own, controls: controls.checks, findings, refusals: controls.refusals, notes };
}

function undialled(expectation: Expectation, finding: Finding): Line {
  const refusals = isRefusal(finding) ? [finding] : [];
  return { expectation, checks: [], controls: [], findings: [finding], refusals, notes: [] };
}

/** Where an identity dials which targets from: anywhere, unless the expectation asks for paths. */
function placesFor(
  { paths }: Expectation,
  identity: Identity,
  targets: readonly Target[],
  { view }: World,
): readonly (PlacedIdentity | Finding)[] {
  return paths === undefined ? [{ identity, targets }] : alongPaths(paths, identity, targets, view.nodes());
}

/** What the pods of `control.from` try on behalf of a Deny. That they cannot is no finding: the verdict asks for a control then. */
function controlsFor(
  expectation: Expectation,
  targets: readonly Target[],
  world: World,
): { readonly checks: readonly Check[]; readonly refusals: readonly Finding[]; readonly note?: string } {
  const { control, ...asked } = expectation;
  if (control?.from === undefined) return { checks: [], refusals: [] };
  const admitted: Expectation = { ...asked, from: control.from, expect: 'Allow' };
  const found = identitiesOf(world.test, admitted, world.view);
  if ('reason' in found) {
    const refusals = isRefusal(found) ? [found] : [];
    return { checks: [], refusals, note: `Its control has no source: ${found.message}` };
  }
  const obstacles = found.identities.map((identity) => obstacleFor(identity, admitted, world));
  const able = found.identities.filter((_, index) => obstacles[index] === undefined);
  const [obstacle] = obstacles.filter((each) => each !== undefined);
  const checks = able.flatMap((identity) => targets.map((target) => checkFor(admitted, identity, target, world)));
  return {
    checks: checks.filter((check) => check !== undefined),
    refusals: [],
    ...(obstacle === undefined ? {} : { note: `Its control has no source: ${obstacle.message}` }),
  };
}

/** Lines with what Postern itself tries on behalf of their Denies: each target once, whoever asks. */
function withOutsideControls(lines: readonly Line[], place: OwnPlace, world: World): readonly Line[] {
  const identity = outsideIdentity(place);
  const tried = new Set([...world.checks.values()].filter(({ mode }) => mode === 'converge').map(doorOf));
  const added = new Set<string>();
  return lines.map((line) => {
    const { expectation } = line;
    const isAsked = expectation.control?.mode === 'FromPostern';
    const { control: _, ...admitted } = expectation;
    const checks = line.checks.flatMap((check) => {
      const door = doorOf(check);
      if (check.mode !== 'guard' || (tried.has(door) && !isAsked)) return [];
      if (!mayBeShownFromOutside(expectation, check.target, world.view)) return [];
      if (!added.has(door) && added.size >= maxOutsideControls) return [];
      added.add(door);
      const { isExcepted: _, ...target } = check.target;
      return checkFor({ ...admitted, expect: 'Allow' }, identity, target, world) ?? [];
    });
    return checks.length === 0 ? line : { ...line, controls: [...line.controls, ...new Set(checks)] };
  });
}

function doorOf(check: Check): string {
  return doorKey(check.target, check);
}

/** Why a probe pod cannot stand for an identity, or must not. */
function obstacleFor(identity: Identity, expectation: Expectation, { view, namedKeys }: World): Finding | undefined {
  const missing = identity.droppedLabels.filter((key) => namedKeys.has(key));
  if (missing.length > 0) {
    return {
      reason: 'IdentityNotReproducible',
      message: `A network policy selects on the label ${missing.join(', ')} of ${describeSource(expectation)}, which a probe pod must not wear. Select on a label of the application instead.`,
    };
  }
  if (namedKeys.has(probeLabel.key)) {
    return {
      reason: 'IdentityNotReproducible',
      message: `A network policy selects on the label ${probeLabel.key}, so it treats probe pods unlike ${describeSource(expectation)}. Select on a label of the application instead.`,
    };
  }
  const publisher = serviceThatWouldPublish(identity, view);
  if (publisher !== undefined) {
    return {
      reason: 'ServicePublishesNotReady',
      message: `Service ${publisher} selects ${describeSource(expectation)} and publishes not-ready addresses (publishNotReadyAddresses), so a probe pod would get its traffic. Test from pods that this Service does not select.`,
    };
  }
  return undefined;
}

/** The check, shared with other expectations that ask the same; undefined if the run is full. */
function checkFor(
  expectation: Expectation,
  identity: Identity,
  target: Target,
  { test, checks }: World,
): Check | undefined {
  const isAllowed = (expectation.expect === 'Allow') !== (target.isExcepted === true);
  const mode = isAllowed ? 'converge' : 'guard';
  const host = target.host ?? hostHeader(test, expectation);
  // A denial ends before anything is said.
  const asked = isAllowed || expectation.http === undefined ? questionOf(expectation) : {};
  // The whole target: the same address stands for other pods, or for none, where it was written down as an address.
  const key = JSON.stringify([identity.key, mode, target, host, asked]);
  const known = checks.get(key);
  if (known !== undefined) return known;
  if (checks.size >= maxChecksPerRun) return undefined;
  const check: Check = {
    id: checks.size,
    mode,
    port: target.port,
    identity,
    target,
    ...(target.address === undefined ? {} : { address: target.address }),
    ...(host === undefined ? {} : { host }),
    ...asked,
  };
  checks.set(key, check);
  return check;
}

/** What a check says on its connection, beyond opening one. */
function questionOf({ to, http, udp, protocol }: Expectation): Pick<PlannedCheck, 'http' | 'udp' | 'dns'> {
  if (to.dns !== undefined) {
    return { dns: { name: to.dns.name, type: to.dns.type ?? 'A', protocol: protocol ?? 'UDP' } };
  }
  if (udp !== undefined) return { udp: { payload: udp.payload?.toLowerCase() ?? presets[udp.preset ?? 'DNS'] } };
  if (http === undefined) return {};
  const { scheme, path = '/', status } = http;
  return {
    http: { path, ...(scheme === undefined ? {} : { scheme }), ...(status === undefined ? {} : { status }) },
  };
}

/** Datagrams that every server of a protocol answers, in hexadecimal. */
const presets = {
  // A header without a question (RFC 1035, 4.1.1): servers call it malformed at once, without asking anybody else.
  DNS: '504f01000000000000000000',
  // A request of an NTP version 4 client (RFC 5905, 7.3): the mode in the first byte, everything else 0.
  NTP: `23${'00'.repeat(47)}`,
} as const;

/** A Service that would make an endpoint even of a pod that is never ready. */
function serviceThatWouldPublish({ namespace, labels }: Identity, view: ClusterView): string | undefined {
  return view.services(namespace).find(
    ({ spec }) =>
      spec.publishNotReadyAddresses === true &&
      // A Service with an empty selector selects nothing, unlike a LabelSelector.
      Object.keys(spec.selector ?? {}).length > 0 &&
      selectorMatches({ matchLabels: spec.selector ?? {} }, labels),
  )?.metadata.name;
}

/** Applications tell virtual hosts apart by the name that clients use, so an HTTP request to a Service carries it. */
function hostHeader(test: ConnectivityTest, { to, http }: Expectation): string | undefined {
  if (http === undefined || to.service === undefined) return undefined;
  return `${to.service.name}.${to.service.namespace ?? test.metadata.namespace}.svc`;
}

function keysNamedByPolicies(namespaces: readonly string[], view: ClusterView): ReadonlySet<string> {
  const policies = [undefined, ...namespaces].flatMap((namespace) => view.policies(namespace));
  return new Set(policies.flatMap(({ spec, specs }) => [...labelKeysNamedBy([spec, specs])]));
}
