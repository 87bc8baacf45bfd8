/**
 * Every version that the cluster of `npm run cluster:up` is made of. The `go.mod` files under `toolchain/` pin the same
 * versions together with all that they depend on, checksummed by `go.sum`; a test holds the two together.
 */
export const versions = {
  kubernetes: 'v1.36.3',
  cilium: 'v1.20.2',
  kind: 'v0.33.0',
  helm: 'v4.3.1',
  containerd: 'v2.4.2',
  cniPlugins: 'v1.9.1',
  etcd: 'v3.6.6',
  coredns: 'v1.14.7',
  prometheus: 'v0.314.0',
  registry: 'v3.1.2',
  agnhost: '2.63.0',
  npm: '10.9.9',
  node: '24',
  debian: 'bookworm',
} as const;

/**
 * The names under which kubeadm asks for what it deploys. Its own constants decide the tags; a locally built image carries the
 * version pinned above under the tag that is asked for.
 */
const kubeadmImages = {
  apiServer: `registry.k8s.io/kube-apiserver:${versions.kubernetes}`,
  controllerManager: `registry.k8s.io/kube-controller-manager:${versions.kubernetes}`,
  scheduler: `registry.k8s.io/kube-scheduler:${versions.kubernetes}`,
  proxy: `registry.k8s.io/kube-proxy:${versions.kubernetes}`,
  etcd: 'registry.k8s.io/etcd:3.6.8-0',
  coredns: 'registry.k8s.io/coredns/coredns:v1.14.2',
  pause: 'registry.k8s.io/pause:3.10.2',
} as const;

/** Every image by its upstream name. */
export const images = {
  ...kubeadmImages,
  node: `kindest/node:${versions.kubernetes}`,
  cilium: `quay.io/cilium/cilium:${versions.cilium}`,
  ciliumOperator: `quay.io/cilium/operator-generic:${versions.cilium}`,
  agnhost: `registry.k8s.io/e2e-test-images/agnhost:${versions.agnhost}`,
  base: `debian:${versions.debian}-slim`,
  nodeRuntime: `node:${versions.node}-${versions.debian}-slim`,
} as const;

/** What nodes hold beside the images that kindest/node brings, whichever network plugin a cluster has. */
export const workloadImages = [images.cilium, images.ciliumOperator, images.agnhost] as const;
