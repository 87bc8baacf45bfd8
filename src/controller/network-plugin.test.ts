import { expect, it } from 'vitest';
import { networkPluginOf, type NetworkPluginSetting } from './network-plugin.ts';

const kubernetes = 'networking.k8s.io';

it.each<[NetworkPluginSetting, readonly string[], string | undefined]>([
  ['auto', [kubernetes, 'cilium.io', 'cilium.io'], 'cilium Recognised'],
  ['auto', [kubernetes, 'crd.projectcalico.org'], 'calico Recognised'],
  // Left over from another plugin, or policies of one over the network of the other: nobody says which.
  ['auto', [kubernetes, 'cilium.io', 'crd.projectcalico.org'], undefined],
  ['auto', [kubernetes], undefined],
  ['none', [kubernetes, 'cilium.io'], undefined],
  ['kindnet', [kubernetes], 'kindnet Configured'],
  ['calico', [kubernetes, 'cilium.io'], 'calico Configured'],
])('told %s, where %j are served, takes the plugin for %s', (setting, groups, expected) => {
  const plugin = networkPluginOf(setting, groups);

  expect(plugin && `${plugin.name} ${plugin.basis}`).toBe(expected);
});
