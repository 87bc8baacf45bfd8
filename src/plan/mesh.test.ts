import { describe, expect, it } from 'vitest';
import { podOf, type PodParts } from '../testing/cluster-view.ts';
import { meshOf } from './mesh.ts';

const app = { name: 'app' };
const native = (name: string): PodParts => ({
  spec: { containers: [app], initContainers: [{ name, restartPolicy: 'Always' }] },
});
const beside = (name: string): PodParts => ({ spec: { containers: [app, { name }] } });
const marked = (key: string, value: string): PodParts => ({ annotations: { [key]: value } });

describe('meshOf', () => {
  it.each<[string, PodParts, string | undefined]>([
    ['an Istio sidecar', beside('istio-proxy'), 'Istio sidecar'],
    ['a native Istio sidecar', native('istio-proxy'), 'Istio sidecar'],
    ["Istio's mark", marked('sidecar.istio.io/status', '{"revision":"default"}'), 'Istio sidecar'],
    ['a Linkerd sidecar', beside('linkerd-proxy'), 'Linkerd sidecar'],
    ['a native Linkerd sidecar', native('linkerd-proxy'), 'Linkerd sidecar'],
    ["Linkerd's mark", marked('linkerd.io/proxy-version', 'edge-26.1.1'), 'Linkerd sidecar'],
    ['a Kuma sidecar', beside('kuma-sidecar'), 'Kuma sidecar'],
    ["Kuma's mark", marked('kuma.io/sidecar-injected', 'true'), 'Kuma sidecar'],
    ['a Consul sidecar', beside('consul-dataplane'), 'Consul sidecar'],
    ["Consul's mark", marked('consul.hashicorp.com/connect-inject-status', 'injected'), 'Consul sidecar'],
    ["Istio's mark of a proxy on the node", marked('ambient.istio.io/redirection', 'enabled'), 'Istio ambient node'],
    ['nothing', {}, undefined],
    [
      'an init container that ends',
      { spec: { containers: [app], initContainers: [{ name: 'istio-proxy' }] } },
      undefined,
    ],
    [
      "a container of Istio's that is no proxy",
      { spec: { containers: [app], initContainers: [{ name: 'istio-init' }] } },
      undefined,
    ],
    ['a container with an unlucky name', beside('constructor'), undefined],
    ['a wish to be injected', marked('sidecar.istio.io/inject', 'true'), undefined],
    ['a refusal', marked('kuma.io/sidecar-injected', 'false'), undefined],
    ['a proxy on the node that leaves it out', marked('ambient.istio.io/redirection', 'disabled'), undefined],
  ])('of a pod with %s', (_, parts, wanted) => {
    const mesh = meshOf(podOf('a', parts));
    expect(mesh === undefined ? undefined : `${mesh.name} ${mesh.proxy}`).toBe(wanted);
  });
});
