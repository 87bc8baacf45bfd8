import type { Direction, PolicyReference } from '../policy/index.ts';
import { change, peerFor, peersKey } from './draft.ts';
import { objectInWords, valueAt } from './edit.ts';
import { type Admission, type Narrowing, withoutRule } from './narrowing.ts';
import { writtenPolicy } from './remedy.ts';
import type { Scene } from './scene.ts';
import { identifyingLabels, labelsInWords, type Side } from './side.ts';

/** `from: []` reads as nobody, and means everybody. */
export function emptyPeers(scene: Scene, direction: Direction, { policy, rule }: Admission): Narrowing | undefined {
  const key = peersKey(direction);
  const path = `${rule.rule.path}.${key}`;
  const peers = valueAt(writtenPolicy(scene, policy), path);
  if (!Array.isArray(peers) || peers.length > 0) return undefined;
  const meant = meantPeers(scene, direction, policy);
  const words = meant.map((side) => labelsInWords(identifyingLabels(side))).join(' and ');
  const naming = {
    summary: `admit pods labelled ${words} and nobody else`,
    changes: [
      change(
        policy,
        path,
        peers,
        meant.map((side) => peerFor(side, policy.namespace)),
      ),
    ],
  };
  const deletion = {
    summary: 'delete the rule, so that it admits nobody',
    changes: withoutRule(scene, { policy, rule }, direction),
  };
  return {
    code: 'EmptyPeersAdmitAll',
    path,
    message: `\`${key}: []\` of ${objectInWords(policy)} admits any peer, not none. Name who may (a podSelector); delete the rule only if nobody may.`,
    edits: meant.length === 0 ? [deletion] : [naming, deletion],
  };
}

/** Who was probably meant: whoever else is expected to connect, else those whom the policy is named after. */
function meantPeers(scene: Scene, direction: Direction, policy: PolicyReference): readonly Side[] {
  const { subject, peer } = scene.partiesOf(direction);
  const known = new Set([subject, peer].map(labelsKey));
  const distinct = (sides: readonly Side[]): readonly Side[] => {
    const byLabels = new Map(sides.map((side) => [labelsKey(side), side]));
    return [...byLabels].flatMap(([key, side]) => (known.has(key) || side.hostNetwork ? [] : [side]));
  };
  const expected = distinct(expectedPeers(scene, direction));
  if (expected.length > 0) return expected;
  const words = new Set(policy.name.split(/[^a-z0-9]+/));
  const isNamed = (side: Side): boolean =>
    Object.values(identifyingLabels(side)).some((value) => words.has(value) || words.has(`${value}s`));
  return distinct(
    scene
      .podsIn(policy.namespace ?? '')
      .map(({ metadata }) => scene.sideOf({ kind: 'pod', namespace: policy.namespace ?? '', name: metadata.name }))
      .filter((side) => Object.keys(side.labels).length > 0 && isNamed(side)),
  );
}

/** Those of other expectations that may connect to, or be called by, the pods of the same side. */
function expectedPeers(scene: Scene, direction: Direction): readonly Side[] {
  const { others = [], question } = scene;
  const key = labelsKey(scene.partiesOf(direction).subject);
  const [own, opposite] =
    direction === 'ingress' ? (['destination', 'source'] as const) : (['source', 'destination'] as const);
  return others
    .filter(({ expected, question: asked }) => expected === 'Allow' && asked.protocol === question.protocol)
    .filter(({ question: asked }) => labelsKey(scene.sideOf(asked[own])) === key)
    .map(({ question: asked }) => scene.sideOf(asked[opposite]))
    .filter(({ pod }) => pod !== undefined);
}

function labelsKey(side: Side): string {
  return JSON.stringify([side.namespace, side.address, side.labels]);
}
