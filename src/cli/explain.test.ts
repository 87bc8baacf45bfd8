import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { harmful } from '../testing/hostile-text.ts';
import { runWith } from '../testing/command-line.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 60_000 });

const folder = 'examples/broken/label-typo/';
const labelTypo = Object.fromEntries(
  readdirSync(folder)
    .filter((name) => /^\d/.test(name))
    .map((name) => [folder + name, readFileSync(folder + name, 'utf8')]),
);

describe('postern explain', () => {
  it.each([
    'frontend-reaches-backend',
    'label-typo/frontend-reaches-backend',
    'label-typo/label-typo/frontend-reaches-backend',
  ])('leads from %s to the line and the edit', async (name) => {
    const { code, printed } = await runWith(['explain', '-p', folder, name], labelTypo);

    expect(code).toBe(0);
    expect(printed).toContain('LabelTypo: ');
    expect(printed).toContain(`NetworkPolicy label-typo/frontend (${folder}02-policies.yaml:8)`);
    expect(printed).toMatch(/-\|\s+app: fronted\n\s+\+\|\s+app: frontend/);
  });

  it('explains what does not pass if nothing is named', async () => {
    const { printed } = await runWith(['explain', '-f', folder], labelTypo);

    expect(printed.match(/\(PREDICTED\)/g)).toHaveLength(1);
  });

  it('tells why something passes', async () => {
    const { code, printed } = await runWith(['explain', '-p', folder, 'stranger-does-not'], labelTypo);

    expect(code).toBe(0);
    expect(printed).toContain('PASSED (PREDICTED)');
    expect(printed).toContain('ingress deny  restricted by NetworkPolicy label-typo/frontend');
    expect(printed).not.toContain('edit');
  });

  it('says what there is where the name is wrong', async () => {
    const { code, said } = await runWith(['explain', '-p', folder, 'frontend'], labelTypo);

    expect(code).toBe(4);
    expect(said).toContain('There is: label-typo/frontend-reaches-backend, label-typo/stranger-does-not.');
  });

  it('gives programs codes, paths and edits', async () => {
    const { printed } = await runWith(['explain', '-p', folder, '-o', 'json'], labelTypo);

    expect(JSON.parse(printed)).toMatchObject([
      {
        verdict: 'Failed',
        answer: 'deny',
        egress: { answer: 'allow', reason: 'NotIsolated' },
        ingress: { answer: 'deny', rejected: [{ distance: 1 }] },
        findings: [
          {
            code: 'LabelTypo',
            isEnough: true,
            edits: [{ changes: [{ before: { app: 'fronted' }, after: { app: 'frontend' } }] }],
          },
          { code: 'NoRuleAdmits' },
        ],
      },
    ]);
  });

  it('shows labels that would move a terminal’s cursor in harmless characters', async () => {
    const files = Object.fromEntries(
      Object.entries(labelTypo).map(([file, text]) => [
        file,
        text.replaceAll('labels: { app: frontend } }', 'labels: { app: frontend, x: "\\e[2J\\nFORGED" } }'),
      ]),
    );
    const { printed } = await runWith(['explain', '-p', folder], files);

    expect(printed).toContain('x: \\u001b[2J FORGED');
    expect(printed.replaceAll('\n', '')).not.toMatch(harmful);
  });

  it('is what check points to', async () => {
    const { printed } = await runWith(['check', '-p', folder], labelTypo);

    expect(printed).toMatch(/ {2}finding {4}LabelTypo: .*\n {2}edit {7}NetworkPolicy label-typo\/frontend/);
  });
});
