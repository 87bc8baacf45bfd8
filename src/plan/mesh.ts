import type { Pod } from '../api/index.ts';

/** A service mesh that a pod is in, and where its proxy stands. */
export interface Mesh {
  readonly name: string;
  /** `node`: whatever the pod's namespace sends goes through it, probe pods included. `sidecar`: a container of the pod. */
  readonly proxy: 'sidecar' | 'node';
}

/** Containers that are proxies, as the meshes name them; native sidecars (KEP-753) are init containers that restart. */
const sidecars: Readonly<Record<string, string>> = {
  'istio-proxy': 'Istio',
  'linkerd-proxy': 'Linkerd',
  'kuma-sidecar': 'Kuma',
  'consul-dataplane': 'Consul',
  'envoy-sidecar': 'Consul',
};

/** What injectors leave on a pod that they changed, and the values that say so. */
const marks: Readonly<Record<string, Mesh & { readonly values: RegExp }>> = {
  'sidecar.istio.io/status': { name: 'Istio', proxy: 'sidecar', values: /./ },
  'linkerd.io/proxy-version': { name: 'Linkerd', proxy: 'sidecar', values: /./ },
  'kuma.io/sidecar-injected': { name: 'Kuma', proxy: 'sidecar', values: /^(true|enabled|yes)$/ },
  'consul.hashicorp.com/connect-inject-status': { name: 'Consul', proxy: 'sidecar', values: /^injected$/ },
  'ambient.istio.io/redirection': { name: 'Istio ambient', proxy: 'node', values: /^enabled$/ },
};

/** Annotations by which a mesh is recognised. */
export const meshAnnotations: readonly string[] = Object.keys(marks);

/** The mesh that a pod is in, by what its injector left there; undefined if it is in none that is known. */
export function meshOf({ metadata, spec }: Pick<Pod, 'metadata' | 'spec'>): Mesh | undefined {
  for (const [key, { name, proxy, values }] of Object.entries(marks)) {
    if (values.test(metadata.annotations?.[key] ?? '')) return { name, proxy };
  }
  const native = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  for (const container of [...spec.containers, ...native]) {
    if (Object.hasOwn(sidecars, container.name)) return { name: sidecars[container.name] ?? '', proxy: 'sidecar' };
  }
  return undefined;
}
