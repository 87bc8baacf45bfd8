import type { NetworkPlugin } from '../comparison/index.ts';
import type { ProfileName } from '../policy/index.ts';

/** What the operator is told about the network plugin: its name, that none is to be assumed, or to see for itself. */
export type NetworkPluginSetting = ProfileName | 'none' | 'auto';

/** The API groups of kinds of policies that only one plugin brings along. */
const groups: readonly (readonly [string, ProfileName])[] = [
  ['cilium.io', 'cilium'],
  ['crd.projectcalico.org', 'calico'],
];

/**
 * The network plugin whose deviations are asked about. It is never guessed: where the kinds of several plugins are served, or those of
 * none, it is not known. Nothing but words beside the evidence rests on it.
 */
export function networkPluginOf(
  setting: NetworkPluginSetting,
  servedGroups: readonly string[],
): NetworkPlugin | undefined {
  if (setting === 'none') return undefined;
  if (setting !== 'auto') return { name: setting, basis: 'Configured' };
  const [found, ...others] = groups.filter(([group]) => servedGroups.includes(group));
  return found === undefined || others.length > 0 ? undefined : { name: found[1], basis: 'Recognised' };
}
