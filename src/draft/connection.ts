import { addressOf, blockContains, blockOf } from '../address/index.ts';
import type { AddressBlock, ConnectivityTest, Expectation, Pod } from '../api/index.ts';
import { type Check, isOfAdministrators, type Line, type Plan } from '../plan/index.ts';
import type { PolicyProtocol } from '../policy/index.ts';
import { type PredictionWorld, type Route, routesOf } from '../prediction/index.ts';
import { keyOf, type Parties, type Party } from './party.ts';

/** A block of addresses as a policy writes it. */
export interface AddressPeer {
  readonly cidr: string;
  readonly except?: readonly string[];
}

/** Where a connection goes: to pods that a policy can select, to the resolver, or to addresses. */
export type Destination =
  | { readonly kind: 'party'; readonly party: Party }
  | { readonly kind: 'resolver'; readonly party: Pick<Party, 'namespace' | 'selector'> }
  | { readonly kind: 'block'; readonly block: AddressPeer };

/** One connection of an expectation, as policies look at it. */
export interface Connection {
  readonly expectation: string;
  readonly isAllowed: boolean;
  readonly source: Party;
  readonly destination: Destination;
  /** The pods that it may end at, by namespace and name. */
  readonly ends: readonly string[];
  readonly protocol: PolicyProtocol;
  readonly port: number;
}

export interface Connections {
  readonly connections: readonly Connection[];
  /** Why policies cannot say what the expectations ask for, one sentence each. */
  readonly problems: readonly string[];
}

/** Every connection that a test's expectations speak of, the look-ups before them and the controls beside them included. */
export function connectionsOf(
  test: ConnectivityTest,
  plan: Plan,
  world: PredictionWorld,
  parties: Parties,
): Connections {
  const found = plan.lines.map((line) => connectionsOfLine(test, line, world, parties));
  return {
    connections: found.flatMap(({ connections }) => connections),
    problems: found.flatMap(({ problems }) => problems),
  };
}

function connectionsOfLine(test: ConnectivityTest, line: Line, world: PredictionWorld, parties: Parties): Connections {
  const { expectation, checks, controls, findings } = line;
  const name = nameOf(test, expectation);
  const problems = findings
    .filter(({ reason }) => reason !== 'PathUndefined')
    .map(({ message }) => `${name}: ${message}`);
  const connections: Connection[] = [];
  const from = (check: Check): Expectation['from'] =>
    controls.includes(check) && expectation.control?.from !== undefined ? expectation.control.from : expectation.from;
  for (const check of [...checks, ...controls]) {
    const source = parties.source(from(check), check.identity);
    if ('problem' in source) {
      problems.push(`${name}: ${source.problem}`);
      continue;
    }
    const asked: Expectation = { ...expectation, expect: check.mode === 'guard' ? 'Deny' : 'Allow' };
    const { routes, unknown } = routesOf(test, asked, check, world);
    if (unknown !== undefined) problems.push(`${name}: ${unknown}`);
    for (const route of routes) {
      const destination = destinationOf(asked, check, route, world, parties);
      if ('problem' in destination) {
        problems.push(`${name}: ${destination.problem}`);
        continue;
      }
      const { stage, protocol, port } = route;
      const isAllowed = stage === 'Resolve' || asked.expect === 'Allow';
      const ends = route.destination.kind === 'pod' ? [`${route.destination.namespace}/${route.destination.name}`] : [];
      const connection: Connection = { expectation: name, isAllowed, source, destination, ends, protocol, port };
      connections.push(connection);
      // An answer that is too long for UDP comes by TCP (RFC 7766), and every resolver library asks again.
      if (stage === 'Resolve') connections.push({ ...connection, protocol: 'TCP' });
    }
  }
  return { connections, problems: [...new Set(problems)] };
}

/** `shop/boundaries: web-reaches-api`, as reports name an expectation. */
export function nameOf(test: ConnectivityTest, { name }: Pick<Expectation, 'name'>): string {
  const place = isOfAdministrators(test) ? test.metadata.name : `${test.metadata.namespace}/${test.metadata.name}`;
  return `${place}: ${name}`;
}

function destinationOf(
  { to, expect }: Expectation,
  { target }: Check,
  route: Route,
  { model }: PredictionWorld,
  parties: Parties,
): Destination | { readonly problem: string } {
  const { destination, isAnyAddress } = route;
  if (destination.kind === 'pod') {
    const pod = model.world.pods.find((each) => keyOf(each) === `${destination.namespace}/${destination.name}`);
    if (pod === undefined) return { problem: `There is no pod ${destination.namespace}/${destination.name}.` };
    if (route.stage === 'Resolve' || (to.dns !== undefined && to.service === undefined)) return resolverOf(pod);
    if (pod.spec.hostNetwork === true) {
      return { problem: `Pod ${keyOf(pod)} uses the host network: no NetworkPolicy selects it. Name another target.` };
    }
    const party = parties.destination(to, pod);
    if ('problem' in party) return party;
    return { kind: to.dns === undefined ? 'party' : 'resolver', party };
  }
  if (isAnyAddress === true) {
    return {
      problem: `A NetworkPolicy knows addresses and no names: give that of ${to.host ?? 'the host'} by --resolve ${to.host ?? 'HOST'}=ADDRESS, or write \`ip\` or \`cidr\`.`,
    };
  }
  if (destination.kind === 'node') return { problem: 'A NetworkPolicy does not select nodes.' };
  if (to.cidr !== undefined && expect === 'Allow') return { kind: 'block', block: blockMeant(to.cidr, target) };
  return { kind: 'block', block: { cidr: `${destination.address}/${destination.address.includes(':') ? 128 : 32}` } };
}

/** What an Allow of a block admits: the block without what it excepts, or behind a Deny what that excepts. */
function blockMeant({ block, except = [] }: AddressBlock, { address = '', isExcepted }: Check['target']): AddressPeer {
  if (isExcepted !== true) return { cidr: block, ...(except.length === 0 ? {} : { except }) };
  const dialled = addressOf(address);
  const part = except.find((each) => {
    const excepted = blockOf(each);
    return dialled !== undefined && excepted !== undefined && blockContains(excepted, dialled);
  });
  return { cidr: part ?? block };
}

/** The cluster's resolver by the label that it carries everywhere, whatever its workload is called. */
function resolverOf({ metadata }: Pod): Destination {
  const { namespace = '', labels } = metadata;
  const key = 'k8s-app';
  return { kind: 'resolver', party: { namespace, selector: { matchLabels: { [key]: labels?.[key] ?? 'kube-dns' } } } };
}
