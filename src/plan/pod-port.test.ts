import { describe, expect, it } from 'vitest';
import type { ReadinessProbe } from '../api/index.ts';
import { listening, podOf } from '../testing/cluster-view.ts';
import { hasReadinessProbeOn } from './pod-port.ts';

describe('hasReadinessProbeOn', () => {
  it.each<[string, ReadinessProbe | undefined, boolean]>([
    ['by HTTP on the number', { httpGet: { port: 8080 } }, true],
    ['by HTTP on the name', { httpGet: { port: 'http' } }, true],
    ['by HTTP with an empty host', { httpGet: { port: 8080, host: '' } }, true],
    ['by HTTP of another host', { httpGet: { port: 8080, host: 'example.com' } }, false],
    ['by TCP on the number', { tcpSocket: { port: 8080 } }, true],
    ['by TCP on the name', { tcpSocket: { port: 'http' } }, true],
    ['by TCP of another host', { tcpSocket: { port: 8080, host: '127.0.0.1' } }, false],
    ['by gRPC on the number', { grpc: { port: 8080 } }, true],
    ['by gRPC on another port', { grpc: { port: 9090 } }, false],
    ['by TCP on another port', { tcpSocket: { port: 9090 } }, false],
    ['on an unknown name', { tcpSocket: { port: 'https' } }, false],
    ['by a command', {}, false],
    ['not at all', undefined, false],
  ])('a pod that is probed %s', (_, readinessProbe, proves) => {
    const pod = podOf('web', { spec: { containers: [listening({ http: 8080 }, readinessProbe)] } });

    expect(hasReadinessProbeOn(pod, 8080)).toBe(proves);
  });

  it('takes a name for a port of the same container only', () => {
    const pod = podOf('web', {
      spec: { containers: [listening({ http: 8080 }), listening({ admin: 9090 }, { httpGet: { port: 'http' } })] },
    });

    expect(hasReadinessProbeOn(pod, 8080)).toBe(false);
  });
});
