import { describe, expect, it } from 'vitest';
import { flowLogCommand } from './flow-logs.ts';

const web = {
  name: 'Deployment shop/web',
  namespace: 'shop',
  labels: { app: 'web', tier: 'front' },
  hostNetwork: false,
};
const outside = { name: '192.0.2.7', labels: {}, hostNetwork: false, address: '192.0.2.7' };
const question = {
  source: { kind: 'pod', namespace: 'shop', name: 'web' },
  destination: { kind: 'address', address: '192.0.2.7' },
  protocol: 'TCP',
  port: 443,
} as const;

describe('the command that shows flow logs', () => {
  it('names both ends and the port to Hubble', () => {
    expect(flowLogCommand('cilium', { source: web, destination: outside }, question)).toBe(
      'hubble observe --follow --from-namespace shop --from-label app=web,tier=front --to-ip 192.0.2.7 --protocol tcp --to-port 443',
    );
  });

  it('puts nothing into a command that a shell would read otherwise', () => {
    const hostile = { ...web, namespace: '$(id)', labels: { app: 'x; rm -rf /', tier: 'front' } };
    const command = flowLogCommand(
      'cilium',
      { source: hostile, destination: { ...outside, address: '1; id' } },
      question,
    );

    expect(command).toBe('hubble observe --follow --from-label tier=front --protocol tcp --to-port 443');
  });

  it('leads to Whisker with Calico, and nowhere with a plugin that keeps no flow logs', () => {
    const ends = { source: web, destination: outside };
    expect(flowLogCommand('calico', ends, question)).toContain('service/whisker');
    expect(flowLogCommand('kindnet', ends, question)).toBeUndefined();
    expect(flowLogCommand(undefined, ends, question)).toBeUndefined();
  });
});
