import type { ConnectivityTest, Namespace, Pod, Policy, Service } from '../api/index.ts';
import { type ClusterView, type Plan, planFor } from '../plan/index.ts';
import { policyModel, type ProfileName } from '../policy/index.ts';
import { type PartInWords } from './reading.ts';
import { predict, type Prediction } from './predict.ts';
import { type PredictionWorld, worldOf } from './world.ts';

/** What a prediction knows of a cluster. */
export interface KnownCluster {
  readonly view: ClusterView;
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
  readonly policies: readonly Policy[];
  readonly services: readonly Service[];
}

/** What is taken for known besides. */
export interface Knowledge {
  readonly profile?: ProfileName;
  /** The address of a host name, if one was given. */
  readonly addressOf: (host: string) => string | undefined;
}

export interface PredictedTest {
  readonly test: ConnectivityTest;
  readonly plan: Plan;
  /** One per expectation, in the order of the spec. */
  readonly predictions: readonly Prediction[];
}

/** Tests with their plans, and a world that has a stand-in for each of their sources. */
export interface PlannedTests {
  readonly plans: readonly (readonly [ConnectivityTest, Plan])[];
  readonly world: PredictionWorld;
}

/** What tests would dial in a cluster. */
export function plannedIn(
  tests: readonly ConnectivityTest[],
  { view, pods, namespaces, policies, services }: KnownCluster,
  { profile, addressOf }: Knowledge,
): PlannedTests {
  const plans = tests.map((test) => [test, planFor(test, view)] as const);
  const completed = worldOf(
    { pods, namespaces, policies },
    plans.map(([, plan]) => plan),
    view,
  );
  const model = policyModel(completed, profile === undefined ? {} : { profile });
  return { plans, world: { view, pods, services, model, addressOf } };
}

/** Predicts every expectation of several tests, all asked of one model of the cluster. */
export function predictTests(
  tests: readonly ConnectivityTest[],
  cluster: KnownCluster,
  knowledge: Knowledge,
  inWords?: PartInWords,
): { readonly predicted: readonly PredictedTest[]; readonly world: PredictionWorld } {
  const { plans, world } = plannedIn(tests, cluster, knowledge);
  const predicted = plans.map(([test, plan]) => ({ test, plan, predictions: predict(test, plan, world, inWords) }));
  return { predicted, world };
}
