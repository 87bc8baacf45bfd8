import type { Direction } from '../policy/index.ts';
import { isolatingPolicy } from './draft.ts';
import { type Edit, objectInWords, valueAt } from './edit.ts';
import type { Admission, Narrowing } from './narrowing.ts';
import { writtenPolicy } from './remedy.ts';
import { isFree, type Scene } from './scene.ts';

/** A rule of which the API, or what is known here, leaves open whether it admits what must be denied. */
export function mayAdmit(scene: Scene, direction: Direction, { policy, rule }: Admission): Narrowing {
  const { peer } = scene.partiesOf(direction);
  const name = objectInWords(policy);
  const matching = rule.peers.find(({ matches }) => matches !== 'no');
  const path = matching?.peer.path ?? rule.rule.path;
  const isBlock = matching?.peer.conditions.some(({ kind }) => kind === 'Block') === true;
  if (isBlock && peer.pod !== undefined) {
    const block = String(valueAt(writtenPolicy(scene, policy), `${path}.ipBlock.cidr`));
    const edits = closingOtherSide(scene, direction);
    const other = direction === 'ingress' ? 'egress' : 'ingress';
    const unless = block.endsWith('/0')
      ? 'Leave the addresses of pods out of it by except, and have the operator prove it in the cluster.'
      : 'If no pod has an address in it, nothing is wrong: have the operator prove that in the cluster.';
    const proof = edits.length === 0 ? '' : ` To deny it by policies alone, deny ${other} of ${peer.name}.`;
    return {
      code: 'IPBlockMeansPods',
      path: `${path}.ipBlock`,
      message: `${name} admits the address block ${block}, and the API leaves open whether a block matches pods, such as those of ${peer.name}: network plugins differ. ${unless}${proof}`,
      edits,
    };
  }
  // What the rule admits for certain is somebody else's.
  return {
    code: peer.hostNetwork ? 'HostNetworkPeer' : 'RuleAdmits',
    path,
    message: `${name} may admit ${peer.name}: whether it does is left open by the API, or depends on what is not known here. Select pods by their labels, and leave the others out of address blocks by except.`,
    edits: [],
  };
}

/** A connection is denied by either side, so where the rule has to stay, the other side can deny. */
function closingOtherSide(scene: Scene, direction: Direction): readonly Edit[] {
  const other = direction === 'ingress' ? 'egress' : 'ingress';
  const { subject } = scene.partiesOf(other);
  if (subject.hostNetwork || scene.decision[other].basis.reason !== 'NotIsolated') return [];
  const made = isFree(scene, isolatingPolicy(other, subject));
  return made === undefined ? [] : [{ summary: `deny ${other} of ${subject.name} instead`, changes: [made] }];
}
