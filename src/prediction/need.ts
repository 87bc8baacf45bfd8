import type { ConnectivityTest } from '../api/index.ts';
import type { Plan } from '../plan/index.ts';
import type { Question } from '../policy/index.ts';
import { routesOf } from './route.ts';
import { type PredictionWorld, standInOf } from './world.ts';

/** One connection that has to be admitted if a test is to pass: an Allow's, its look-up of a name, or a Deny's control. */
export interface Need {
  readonly question: Question;
  /** The destination is some address, and which one is not known. */
  readonly isAnyAddress: boolean;
}

/** Every connection that the expectations of a test need. */
export function needsOf(test: ConnectivityTest, { lines }: Plan, world: PredictionWorld): readonly Need[] {
  return lines.flatMap(({ expectation, checks, controls }) =>
    // What a block excepts, and what a Deny asks for, has to be denied.
    [...checks.filter(({ mode }) => mode === 'converge'), ...controls].flatMap((check) => {
      const source = standInOf(check.identity).metadata;
      return routesOf(test, expectation, check, world).routes.map(({ destination, protocol, port, isAnyAddress }) => ({
        question: {
          source: { kind: 'pod' as const, namespace: source.namespace ?? '', name: source.name },
          destination,
          protocol,
          port,
        },
        isAnyAddress: isAnyAddress === true,
      }));
    }),
  );
}
