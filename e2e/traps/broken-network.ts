/** Networks that fail in ways that are no policy's doing; everything is taken back afterwards. */
import type { Scene } from './scene.ts';

/** The nodes' ends of the links to pods, as iptables matches them. */
export function podInterfaces({ cluster: { cni } }: Scene): string {
  return cni.startsWith('ptp') ? 'veth+' : 'lxc+';
}

/** Drops what pods of a node send to an address, for as long as `work` lasts or until it calls `heal`. */
export async function whileLost<T>(
  scene: Scene,
  { node, address }: { readonly node: string; readonly address: string },
  work: (heal: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const rule = ['PREROUTING', '-i', podInterfaces(scene), '-d', `${address}/32`, '-j', 'DROP'];
  let isLost = true;
  const heal = async (): Promise<void> => {
    if (!isLost) return;
    isLost = false;
    await scene.onNode(node, 'iptables', '-w', '-t', 'raw', '-D', ...rule);
  };
  await scene.onNode(node, 'iptables', '-w', '-t', 'raw', '-I', ...rule);
  try {
    return await work(heal);
  } finally {
    await heal();
  }
}

/** Drops what leaves a node for as long as `work` lasts: what its pods send, or all, as if the node had lost its power. */
export async function whileCutOff<T>(
  scene: Scene,
  { node, what }: { readonly node: string; readonly what: 'pods' | 'everything' },
  work: () => Promise<T>,
): Promise<T> {
  const from = what === 'pods' ? ['-s', '10.244.0.0/16'] : [];
  const rule = ['POSTROUTING', '-o', 'eth0', ...from, '-j', 'DROP'];
  await scene.onNode(node, 'iptables', '-w', '-t', 'mangle', '-I', ...rule);
  try {
    return await work();
  } finally {
    await scene.onNode(node, 'iptables', '-w', '-t', 'mangle', '-D', ...rule);
  }
}

/** Drops the first packets of connections from a node to pods of another one for as long as `work` lasts, as firewalls do that keep state. */
export async function whileParted<T>(
  scene: Scene,
  { from, to }: { readonly from: string; readonly to: string },
  work: () => Promise<T>,
): Promise<T> {
  const podCidr = (await scene.kubectl(`get node ${to} -o jsonpath={.spec.podCIDR}`)).trim();
  const rule = ['POSTROUTING', '-o', 'eth0', '-p', 'tcp', '--syn', '-d', podCidr, '-j', 'DROP'];
  await scene.onNode(from, 'iptables', '-w', '-t', 'mangle', '-I', ...rule);
  try {
    return await work();
  } finally {
    await scene.onNode(from, 'iptables', '-w', '-t', 'mangle', '-D', ...rule);
  }
}

/**
 * Lets a node answer what its pods send to an address, in words of iptables' REJECT, for as long as `work` lasts. Nobody else's
 * packets are answered so.
 */
export async function whileRejected<T>(
  scene: Scene,
  { node, address, answer }: { readonly node: string; readonly address: string; readonly answer: string },
  work: () => Promise<T>,
): Promise<T> {
  const match = ['-i', podInterfaces(scene), '-d', `${address}/32`, '-p', 'tcp'];
  const rule = ['FORWARD', ...match, '-j', 'REJECT', '--reject-with', answer];
  await scene.onNode(node, 'iptables', '-w', '-I', ...rule);
  try {
    return await work();
  } finally {
    await scene.onNode(node, 'iptables', '-w', '-D', ...rule);
  }
}

/** Takes a node off the link, so that its neighbours look for it in vain and say so, for as long as `work` lasts. */
export async function whileOffTheLink<T>(scene: Scene, node: string, work: () => Promise<T>): Promise<T> {
  const others = scene.workers.filter((other) => other !== node);
  await scene.onNode(node, 'ip', 'link', 'set', 'eth0', 'arp', 'off');
  try {
    for (const other of others) await scene.onNode(other, 'ip', 'neigh', 'flush', 'dev', 'eth0');
    return await work();
  } finally {
    await scene.onNode(node, 'ip', 'link', 'set', 'eth0', 'arp', 'on');
  }
}
