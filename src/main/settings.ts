import type { NetworkPluginSetting } from '../controller/index.ts';
import type { InCluster } from '../kube/index.ts';
import type { ProbeSettings } from '../runner/index.ts';

/** What the operator is told by its environment. */
export interface Settings {
  readonly probe: ProbeSettings;
  /** Most probe pods at once. */
  readonly probePodLimits: { readonly inCluster: number; readonly perNamespace: number; readonly perTest: number };
  readonly listenPort: number;
  readonly logLevel: string;
  readonly podName: string;
  /** The operator's own namespace. */
  readonly namespace: string;
  readonly calibrationPeriodSeconds: number;
  readonly networkPlugin: NetworkPluginSetting;
  /** Where the API server is: the service account's cluster, or a kubeconfig for a run outside of it. */
  readonly cluster: { readonly inCluster: InCluster } | { readonly kubeconfigPath: string | undefined };
}

/**
 * Reads the operator's settings from its environment variables.
 *
 * @throws Error that names the variable and says what to write.
 */
export function settingsFrom(environment: Readonly<Record<string, string | undefined>>): Settings {
  const image = environment['POSTERN_PROBE_IMAGE'] ?? '';
  if (image === '') throw new Error('POSTERN_PROBE_IMAGE is not set: name the image of the probe pods');
  const priorityClassName = environment['POSTERN_PROBE_PRIORITY_CLASS'] ?? '';
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const port = environment['KUBERNETES_SERVICE_PORT'];
  return {
    probe: {
      image,
      imagePullPolicy: oneOf('POSTERN_PROBE_IMAGE_PULL_POLICY', ['IfNotPresent', 'Always', 'Never'], environment),
      imagePullSecrets: (environment['POSTERN_PROBE_IMAGE_PULL_SECRETS'] ?? '')
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
      ...(priorityClassName === '' ? {} : { priorityClassName }),
    },
    probePodLimits: {
      inCluster: wholeNumber('POSTERN_MAX_PROBE_PODS', 32, 1, 1000, environment),
      perNamespace: wholeNumber('POSTERN_MAX_PROBE_PODS_PER_NAMESPACE', 16, 1, 1000, environment),
      perTest: wholeNumber('POSTERN_MAX_PROBE_PODS_PER_TEST', 64, 1, 1000, environment),
    },
    listenPort: wholeNumber('POSTERN_LISTEN_PORT', 8080, 1, 65_535, environment),
    logLevel: oneOf('POSTERN_LOG_LEVEL', ['info', 'debug', 'warn', 'error', 'trace'], environment),
    podName: environment['HOSTNAME'] ?? 'postern',
    namespace: environment['POD_NAMESPACE'] ?? 'postern',
    calibrationPeriodSeconds: wholeNumber('POSTERN_CALIBRATION_PERIOD_SECONDS', 3600, 60, 86_400, environment),
    networkPlugin: oneOf('POSTERN_NETWORK_PLUGIN', networkPlugins, environment),
    cluster: host === undefined || port === undefined ? { kubeconfigPath: undefined } : { inCluster: { host, port } },
  };
}

const networkPlugins = ['auto', 'none', 'cilium', 'calico', 'kindnet', 'aws'] as const;

/** One of the allowed words, the first of which is the default. */
function oneOf<T extends string>(
  name: string,
  allowed: readonly [T, ...T[]],
  environment: Readonly<Record<string, string | undefined>>,
): T {
  const value = environment[name] ?? '';
  if (value === '') return allowed[0];
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw new Error(`${name} is ${JSON.stringify(value)}: write one of ${allowed.join(', ')}`);
  return found;
}

function wholeNumber(
  name: string,
  fallback: number,
  least: number,
  most: number,
  environment: Readonly<Record<string, string | undefined>>,
): number {
  const text = environment[name] ?? '';
  if (text === '') return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Error(`${name} is ${JSON.stringify(text)}: write a whole number from ${least} to ${most}`);
  }
  return value;
}
