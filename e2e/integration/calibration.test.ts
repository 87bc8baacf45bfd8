import { describe, expect, it } from 'vitest';
import { currentCluster } from '../cluster/index.ts';
import { kubectlFor } from '../harness/kubectl.ts';
import { manifests } from '../harness/workloads.ts';

const kubectl = kubectlFor(currentCluster());

function calibration(name: string, parts: object = {}): string {
  return manifests({ apiVersion: 'postern.dev/v1alpha1', kind: 'Calibration', metadata: { name }, ...parts });
}

describe('the API of Calibration on a real API server', () => {
  it('has one object per cluster', async () => {
    const { code, stderr } = await kubectl.attempt('apply --dry-run=server -f -', { input: calibration('another') });

    expect(stderr).toContain('there is one Calibration per cluster: name it "cluster"');
    expect(code).not.toBe(0);
  });

  it('refuses outcomes that no probe can see of a denial', async () => {
    const denials = { tcp: { ingress: 'Denied', egress: 'TimedOut' } };
    const { code, stderr } = await kubectl.attempt(
      'apply --server-side --force-conflicts --dry-run=server --subresource=status -f -',
      {
        input: calibration('cluster', { status: { denials } }),
      },
    );

    expect(stderr).toContain('Unsupported value: "Denied"');
    expect(code).not.toBe(0);
  });

  it('is a manual to kubectl explain', async () => {
    const manual = (await kubectl('explain calibration.status.denials')).replaceAll(/\s+/g, ' ');
    expect(manual).toContain('Only these outcomes count as a denial');
    expect(await kubectl('explain calibration --recursive')).not.toContain('<no description>');
  });
});
