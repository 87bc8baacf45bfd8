import { type AuditFinding, inOrder } from './finding.ts';
import { namespacesWithoutDefaultDeny, unselectedWorkloads } from './isolation.ts';
import { policiesNotWhollyRead } from './legibility.ts';
import { rulesWithoutMatch } from './rule-match.ts';
import { sceneOf } from './scene.ts';
import { policiesWithoutPods } from './selection.ts';
import { type Statement, statementOf } from './statement.ts';
import { rulesWiderThanTests, type Tested, unfollowedExpectations, untestedNamespaces } from './tested.ts';
import type { AuditWorld } from './world.ts';

export interface Audit {
  /** The heaviest first. */
  readonly findings: readonly AuditFinding[];
  readonly statement: Statement;
}

/** What is wrong, missing or to be looked at in a world, and who may reach whom there. What rests on tests is asked only with tests. */
export function auditOf(world: AuditWorld, tested?: Tested): Audit {
  const scene = sceneOf(world);
  return {
    findings: inOrder([
      ...policiesNotWhollyRead(scene),
      ...namespacesWithoutDefaultDeny(scene),
      ...unselectedWorkloads(scene),
      ...policiesWithoutPods(scene),
      ...rulesWithoutMatch(scene),
      ...(tested === undefined
        ? []
        : [
            ...unfollowedExpectations(tested),
            ...untestedNamespaces(scene, tested),
            ...rulesWiderThanTests(scene, tested),
          ]),
    ]),
    statement: statementOf(scene),
  };
}
