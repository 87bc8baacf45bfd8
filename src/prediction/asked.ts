import type { ConnectivityTest, Expectation } from '../api/index.ts';
import type { Check } from '../plan/index.ts';
import type { Decision, Question } from '../policy/index.ts';
import { type Route, type Routes, routesOf } from './route.ts';
import { type PredictionWorld, standInOf } from './world.ts';

/** One connection that a check makes, and what the policies say of it. */
export interface AskedConnection {
  readonly route: Route;
  readonly question: Question;
  readonly decision: Decision;
}

/** What the policies say of each connection that a check may make, as far as they are known. */
export interface Asked extends Pick<Routes, 'unknown' | 'assumptions'> {
  readonly connections: readonly AskedConnection[];
}

/** Asks the policies about a check; the source is the pod that wears its identity. */
export function askedOf(test: ConnectivityTest, expectation: Expectation, check: Check, world: PredictionWorld): Asked {
  const { routes, ...rest } = routesOf(test, expectation, check, world);
  const { namespace = '', name } = standInOf(check.identity).metadata;
  const connections = routes.map((route) => {
    const { destination, protocol, port } = route;
    const question: Question = { source: { kind: 'pod', namespace, name }, destination, protocol, port };
    return { route, question, decision: world.model.decide(question) };
  });
  return { connections, ...rest };
}

/** Whether the source may connect to any address at all, by the specification and by the network plugin. */
export function isOpenToAny({ egress, profile }: Decision): boolean {
  return egress.basis.reason === 'NotIsolated' && (profile ?? { egress }).egress.basis.reason === 'NotIsolated';
}
