import type { ConnectivityTest } from '../api/index.ts';
import type { Line, Plan } from '../plan/index.ts';
import type { Question } from '../policy/index.ts';
import { routesOf } from './route.ts';
import { type PredictionWorld, standInOf } from './world.ts';

/** One connection that has to be admitted if a test is to pass: an Allow's, its look-up of a name, or a Deny's control. */
export interface Need {
  readonly question: Question;
  /** The destination is some address, and which one is not known. */
  readonly isAnyAddress: boolean;
}

/** What the expectations of a test need, as far as it can be followed. */
export interface Needs {
  readonly needs: readonly Need[];
  /** Expectations of which it is not known what all they need, and why. */
  readonly unfollowed: readonly { readonly expectation: string; readonly message: string }[];
}

export function needsOf(test: ConnectivityTest, { lines }: Plan, world: PredictionWorld): Needs {
  const followed = lines.map((line) => followedIn(test, line, world));
  return {
    needs: followed.flatMap(({ needs }) => needs),
    unfollowed: lines.flatMap(({ expectation }, index) =>
      (followed[index]?.unknown ?? []).slice(0, 1).map((message) => ({ expectation: expectation.name, message })),
    ),
  };
}

function followedIn(
  test: ConnectivityTest,
  { expectation, checks, controls, findings }: Line,
  world: PredictionWorld,
): { readonly needs: readonly Need[]; readonly unknown: readonly string[] } {
  // What a block excepts, and what a Deny asks for, has to be denied.
  const needed = [...checks.filter(({ mode }) => mode === 'converge'), ...controls];
  const routes = needed.map((check) => ({ check, ...routesOf(test, expectation, check, world) }));
  return {
    needs: routes.flatMap(({ check, routes: own }) => {
      const source = standInOf(check.identity).metadata;
      return own.map(({ destination, protocol, port, isAnyAddress }) => ({
        question: {
          source: { kind: 'pod' as const, namespace: source.namespace ?? '', name: source.name },
          destination,
          protocol,
          port,
        },
        isAnyAddress: isAnyAddress === true,
      }));
    }),
    unknown: [
      ...(expectation.expect === 'Allow' ? findings.map(({ message }) => message) : []),
      ...routes.flatMap(({ unknown }) => unknown ?? []),
    ],
  };
}
