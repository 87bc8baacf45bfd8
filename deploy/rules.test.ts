import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureTool } from '../e2e/cluster/index.ts';

/** The first call on a machine builds the tool. */
const TOOL_TIMEOUT_MS = 1_200_000;
const folder = fileURLToPath(new URL('postern/files/rules/', import.meta.url));
const run = promisify(execFile);

describe('alerting rules', () => {
  let promtool: string;
  beforeAll(async () => {
    promtool = await ensureTool('promtool');
  }, TOOL_TIMEOUT_MS);

  it('are valid', async () => {
    const { stdout } = await run(promtool, ['check', 'rules', 'postern.rules.yaml'], { cwd: folder });

    expect(stdout).toContain('5 rules found');
  });

  it('fire for a violation and for nothing else', async () => {
    const { stdout } = await run(promtool, ['test', 'rules', 'postern.rules.test.yaml'], { cwd: folder });

    expect(stdout).toContain('SUCCESS');
  });

  it('lead to a runbook each', () => {
    const rules = readFileSync(`${folder}postern.rules.yaml`, 'utf8');
    const runbooks = readFileSync(new URL('../docs/runbooks.md', import.meta.url), 'utf8');
    const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
    const links = [...rules.matchAll(/runbook_url: \S+docs\/runbooks\.md#(\w+)/g)].map(([, anchor]) => anchor);
    const headings = [...runbooks.matchAll(/^## (\w+)$/gm)].map(([, heading]) => heading);

    expect(links).toEqual(alerts.map((name) => name.toLowerCase()));
    expect(headings).toEqual(alerts);
  });
});
