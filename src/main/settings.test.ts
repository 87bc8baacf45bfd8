import { describe, expect, it } from 'vitest';
import { settingsFrom } from './settings.ts';

const POSTERN_PROBE_IMAGE = 'registry.example/probe:1';

describe('settingsFrom', () => {
  it('needs no more than the image of the probe pods', () => {
    expect(settingsFrom({ POSTERN_PROBE_IMAGE })).toEqual({
      probe: { image: 'registry.example/probe:1', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [] },
      probePodLimits: { inCluster: 32, perNamespace: 16, perTest: 64 },
      listenPort: 8080,
      networkPlugin: 'auto',
      logLevel: 'info',
      podName: 'postern',
      namespace: 'postern',
      calibrationPeriodSeconds: 3600,
      cluster: { kubeconfigPath: undefined },
    });
  });

  it('takes everything that the chart sets', () => {
    expect(
      settingsFrom({
        POSTERN_PROBE_IMAGE,
        POSTERN_PROBE_IMAGE_PULL_POLICY: 'Always',
        POSTERN_PROBE_IMAGE_PULL_SECRETS: 'a, b,,',
        POSTERN_PROBE_PRIORITY_CLASS: 'low',
        POSTERN_MAX_PROBE_PODS: '1',
        POSTERN_MAX_PROBE_PODS_PER_NAMESPACE: '2',
        POSTERN_MAX_PROBE_PODS_PER_TEST: '3',
        POSTERN_LISTEN_PORT: '65535',
        POSTERN_LOG_LEVEL: 'debug',
        POSTERN_NETWORK_PLUGIN: 'kindnet',
        HOSTNAME: 'postern-x',
        POD_NAMESPACE: 'system',
        POSTERN_CALIBRATION_PERIOD_SECONDS: '600',
        KUBERNETES_SERVICE_HOST: '10.96.0.1',
        KUBERNETES_SERVICE_PORT: '443',
      }),
    ).toEqual({
      probe: {
        image: 'registry.example/probe:1',
        imagePullPolicy: 'Always',
        imagePullSecrets: ['a', 'b'],
        priorityClassName: 'low',
      },
      probePodLimits: { inCluster: 1, perNamespace: 2, perTest: 3 },
      listenPort: 65_535,
      logLevel: 'debug',
      networkPlugin: 'kindnet',
      podName: 'postern-x',
      namespace: 'system',
      calibrationPeriodSeconds: 600,
      cluster: { inCluster: { host: '10.96.0.1', port: '443' } },
    });
  });

  it('takes an empty variable for one that is not set', () => {
    const empty = { POSTERN_LISTEN_PORT: '', POSTERN_LOG_LEVEL: '', POSTERN_PROBE_PRIORITY_CLASS: '' };

    expect(settingsFrom({ POSTERN_PROBE_IMAGE, ...empty })).toEqual(settingsFrom({ POSTERN_PROBE_IMAGE }));
  });

  it.each<[Readonly<Record<string, string>>, string]>([
    [{ POSTERN_PROBE_IMAGE: '' }, 'POSTERN_PROBE_IMAGE is not set: name the image of the probe pods'],
    [{ POSTERN_MAX_PROBE_PODS: '0' }, 'POSTERN_MAX_PROBE_PODS is "0": write a whole number from 1 to 1000'],
    [{ POSTERN_MAX_PROBE_PODS: '1.5' }, 'POSTERN_MAX_PROBE_PODS is "1.5": write a whole number from 1 to 1000'],
    [
      { POSTERN_CALIBRATION_PERIOD_SECONDS: '59' },
      'POSTERN_CALIBRATION_PERIOD_SECONDS is "59": write a whole number from 60 to 86400',
    ],
    [{ POSTERN_LISTEN_PORT: '65536' }, 'POSTERN_LISTEN_PORT is "65536": write a whole number from 1 to 65535'],
    [{ POSTERN_LISTEN_PORT: 'http' }, 'POSTERN_LISTEN_PORT is "http": write a whole number from 1 to 65535'],
    [{ POSTERN_LOG_LEVEL: 'loud' }, 'POSTERN_LOG_LEVEL is "loud": write one of info, debug, warn, error, trace'],
    [
      { POSTERN_NETWORK_PLUGIN: 'flannel' },
      'POSTERN_NETWORK_PLUGIN is "flannel": write one of auto, none, cilium, calico, kindnet, aws',
    ],
    [
      { POSTERN_PROBE_IMAGE_PULL_POLICY: 'always' },
      'POSTERN_PROBE_IMAGE_PULL_POLICY is "always": write one of IfNotPresent, Always, Never',
    ],
  ])('refuses %j', (environment, message) => {
    expect(() => settingsFrom({ POSTERN_PROBE_IMAGE, ...environment })).toThrow(message);
  });
});
