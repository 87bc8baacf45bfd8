import type { ConnectivityTest } from '../api/index.ts';
import type { Tested } from '../audit/index.ts';
import {
  clusterOf,
  type DeclaredCluster,
  type Inventory,
  inventoryOf,
  type ManifestText,
  type Position,
  type Problem,
  readManifests,
} from '../manifests/index.ts';
import type { PolicyModel, PolicyPart, ProfileName } from '../policy/index.ts';
import {
  needsOf,
  type PartInWords,
  plannedIn,
  policyInWords,
  type PredictedTest,
  type Prediction,
  predictTests,
} from '../prediction/index.ts';

/** How manifests are to be read. */
export interface Reading {
  /** For objects that name no namespace. */
  readonly namespace: string;
  readonly profile?: ProfileName;
  /** The address of a host name, if one was given. */
  readonly addressOf: (host: string) => string | undefined;
}

/** What manifests declare, and all that a command asks of it. */
export interface Declared {
  readonly inventory: Inventory;
  readonly cluster: DeclaredCluster;
  readonly problems: readonly Problem[];
}

/** A prediction with the places of what it is about. */
export interface LocatedPrediction extends Prediction {
  readonly test: ConnectivityTest;
  readonly expectation: ConnectivityTest['spec']['expectations'][number];
  readonly position?: Position;
  readonly policies: readonly LocatedPart[];
}

export interface LocatedPart extends PolicyPart {
  readonly direction: 'ingress' | 'egress';
  readonly position?: Position;
}

export function declaredBy(texts: readonly ManifestText[], namespace: string): Declared {
  const read = texts.map(readManifests);
  const inventory = inventoryOf(
    read.flatMap(({ objects }) => objects),
    namespace,
  );
  const problems = [...read.flatMap((each) => each.problems), ...inventory.problems];
  return { inventory, cluster: clusterOf(inventory), problems };
}

/** Predicts every expectation of the tests in the cluster that the manifests declare. */
export function predictAll(
  tests: readonly ConnectivityTest[],
  { inventory, cluster }: Declared,
  reading: Reading,
): { readonly predictions: readonly LocatedPrediction[]; readonly model: PolicyModel } {
  const { predicted, world } = predictTests(tests, cluster, reading, partInWords(inventory));
  const located = ({ test, predictions }: PredictedTest): readonly LocatedPrediction[] =>
    predictions.map((each, index) => {
      const [expectation] = test.spec.expectations.slice(index, index + 1);
      if (expectation === undefined) throw new Error('a prediction without an expectation');
      const origin = inventory.originOf({ group: 'postern.dev', kind: test.kind, ...test.metadata });
      const position = origin?.at(`spec.expectations[${index}]`);
      const { host = '' } = expectation.to;
      const isMissing = each.reason === 'NotKnown' && host !== '' && reading.addressOf(host) === undefined;
      const hint = isMissing ? ` Give it by --resolve ${host}=ADDRESS.` : '';
      return {
        ...each,
        message: `${each.message}${hint}`,
        test,
        expectation,
        ...(position === undefined ? {} : { position }),
        policies: each.parts.map((part) => ({ ...part, ...positionOf(part, inventory) })),
      };
    });
  return { predictions: predicted.flatMap(located), model: world.model };
}

/** What tests are about, for an audit: the connections that they need, and the namespaces that they look at. */
export function testedBy(tests: readonly ConnectivityTest[], { cluster }: Declared, reading: Reading): Tested {
  const { plans, world } = plannedIn(tests, cluster, reading);
  const followed = plans.map(([test, plan]) => ({ test, plan, ...needsOf(test, plan, world) }));
  return {
    model: world.model,
    needs: followed.flatMap(({ needs }) => needs),
    namespaces: new Set(plans.flatMap(([, plan]) => plan.namespaces)),
    unfollowed: followed.flatMap(({ test, plan, unfollowed }) =>
      unfollowed.map((each) => ({
        ...each,
        test: { group: 'postern.dev', kind: test.kind, namespace: test.metadata.namespace, name: test.metadata.name },
        path: `spec.expectations[${test.spec.expectations.findIndex(({ name }) => name === each.expectation)}]`,
        namespaces: plan.namespaces,
      })),
    ),
  };
}

function positionOf({ policy, path }: PolicyPart, inventory: Inventory): { readonly position?: Position } {
  const position = inventory.originOf(policy)?.at(path);
  return position === undefined ? {} : { position };
}

/** `NetworkPolicy shop/web (policies.yaml:32)`. */
function partInWords(inventory: Inventory): PartInWords {
  return (part) => {
    const { position } = positionOf(part, inventory);
    const name = policyInWords(part.policy);
    return position === undefined ? name : `${name} (${placeInWords(position)})`;
  };
}

/** `file:line`, which terminals and editors open, and the template that it was made from. */
function placeInWords({ file, line, template }: Position): string {
  return `${file}:${line}${template === undefined ? '' : `, from ${template}`}`;
}
