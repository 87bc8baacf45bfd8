import type { Pod, Policy } from '../../src/api/index.ts';
import { type Decision, policyModel } from '../../src/policy/index.ts';
import { ports, protocols, type Stage } from './stage.ts';

/** One connection between two different pods of the stage. */
export interface Cell {
  readonly source: Pod;
  readonly destination: Pod;
  readonly protocol: (typeof protocols)[number];
  readonly port: number;
}

/**
 * What a prediction rests on: the specification alone (`allow`, `deny`), the plugin's profile where the specification leaves
 * it open (`open`), or the profile against the specification (`deviating`).
 */
export const bases = ['allow', 'deny', 'open', 'deviating'] as const;
export type Basis = (typeof bases)[number];

export interface Prediction {
  readonly cell: Cell;
  readonly decision: Decision;
  readonly basis: Basis;
  /** Undefined where neither the specification nor the profile has an answer. */
  readonly expected?: 'allow' | 'deny';
}

export function cellsOf(pods: readonly Pod[]): readonly Cell[] {
  return pods.flatMap((source) =>
    pods
      .filter((destination) => destination !== source)
      .flatMap((destination) =>
        ports.flatMap((port) => protocols.map((protocol) => ({ source, destination, protocol, port }))),
      ),
  );
}

/** What the model says of every cell, as Cilium's profile has it where that differs. */
export function predict(
  { namespaces, pods }: Pick<Stage, 'namespaces' | 'pods'>,
  policies: readonly Policy[],
): readonly Prediction[] {
  const model = policyModel({ namespaces, pods, policies }, { profile: 'cilium' });
  return cellsOf(pods).map((cell) => {
    const { source, destination, protocol, port } = cell;
    const decision = model.decide({ source: endpointOf(source), destination: endpointOf(destination), protocol, port });
    const answer = decision.profile?.answer ?? decision.answer;
    const basis = basisOf(decision);
    return answer === 'allow' || answer === 'deny'
      ? { cell, decision, basis, expected: answer }
      : { cell, decision, basis };
  });
}

function basisOf({ answer, profile }: Decision): Basis {
  if (answer !== 'allow' && answer !== 'deny') return 'open';
  return profile === undefined || profile.answer === answer ? answer : 'deviating';
}

/** Whether a world has something to tell: cells that connect, and cells that do not. */
export function isMixed(predictions: readonly Prediction[]): boolean {
  return (['allow', 'deny'] as const).every((answer) => predictions.some(({ expected }) => expected === answer));
}

function endpointOf({ metadata: { namespace = '', name } }: Pod) {
  return { kind: 'pod', namespace, name } as const;
}
