import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '../cluster/command.ts';
import type { Cluster } from '../cluster/index.ts';
import { repositoryPath } from './postern.ts';

/**
 * Lets promtool evaluate the shipped rules over metrics that stay as they are for half an hour, and expects exactly these series
 * of an alert to fire.
 *
 * @throws Error with promtool's comparison if others do.
 */
export async function expectFiring(
  cluster: Cluster,
  metrics: string,
  alert: string,
  series: readonly string[],
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-alerts-'));
  try {
    await cp(repositoryPath('deploy/postern/files/rules/postern.rules.yaml'), path.join(folder, 'rules.yaml'));
    const samples = [...metrics.matchAll(/^(postern_(?:policy_enforced|calibration_)\S*) (\S+)$/gm)];
    const test = {
      rule_files: ['rules.yaml'],
      evaluation_interval: '30s',
      tests: [
        {
          interval: '30s',
          input_series: samples.map(([, name, value]) => ({ series: name, values: `${value}x60` })),
          promql_expr_test: [
            {
              expr: `count by (direction, protocol, family) (ALERTS{alertname="${alert}", alertstate="firing"})`,
              eval_time: '20m',
              exp_samples: series.map((labels) => ({ labels, value: 1 })),
            },
          ],
        },
      ],
    };
    await writeFile(path.join(folder, 'test.yaml'), JSON.stringify(test));
    await run(cluster.tools.promtool, ['test', 'rules', 'test.yaml'], { directory: folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
