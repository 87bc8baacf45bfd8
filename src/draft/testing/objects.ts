/** Manifests of one kind each, as short as tests can bear. Paths are written `shop/web`. */

type Labels = Readonly<Record<string, string>>;

export interface PodOptions {
  readonly labels?: Labels;
  readonly ports?: readonly { readonly containerPort: number; readonly name?: string; readonly protocol?: string }[];
  readonly hostNetwork?: boolean;
}

function placeOf(path: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = ''] = path.split('/');
  return { namespace, name };
}

/** A Deployment of two pods labelled `app` with its name, with TCP port 8080 unless told otherwise. */
export function deployment(path: string, options: PodOptions = {}): object {
  const { name } = placeOf(path);
  const { labels = { app: name }, ports = [{ containerPort: 8080 }], hostNetwork } = options;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: placeOf(path),
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'c', ports }], ...(hostNetwork === undefined ? {} : { hostNetwork }) },
      },
    },
  };
}

export function service(path: string, selector: Labels, port: number, targetPort: number | string = port): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: placeOf(path),
    spec: { selector, ports: [{ port, targetPort }] },
  };
}

export function networkPolicy(path: string, spec: object): object {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: placeOf(path), spec };
}

export function connectivityTest(path: string, ...expectations: readonly object[]): object {
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'ConnectivityTest',
    metadata: placeOf(path),
    spec: { expectations },
  };
}

/** An expectation from a Deployment to a Deployment or to whatever else is written. */
export function line(
  name: string,
  from: string,
  to: string | object,
  expected: 'Allow' | 'Deny',
  port: number | string = 8080,
): object {
  return {
    name,
    from: { workload: { kind: 'Deployment', name: from } },
    to: typeof to === 'string' ? { workload: { kind: 'Deployment', name: to }, port } : to,
    expect: expected,
  };
}
