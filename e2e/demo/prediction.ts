import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { repositoryPath } from '../harness/postern.ts';

const folder = 'examples/three-tier';

/** Shows what `postern check` says, which needs no cluster: of the example as it is, and with the hole that is opened later. */
export function showPrediction(say: (text: string) => void): void {
  say(`== What the policies say, as they are written, while there is no cluster yet: npx postern check -f ${folder}`);
  say(check(['-f', folder]));
  say('\n== The same without the policies default-deny and db, which this demonstration deletes later');
  const policies = readFileSync(repositoryPath(`${folder}/02-policies.yaml`), 'utf8').split('---\n');
  const kept = policies.filter((policy) => !/name: (default-deny|db),/.test(policy));
  const others = ['01-shop', '03-test', '04-outsider'].flatMap((name) => ['-f', `${folder}/${name}.yaml`]);
  say(check([...others, '-p', '-'], kept.join('---\n')));
}

function check(words: readonly string[], input = ''): string {
  const { stdout, stderr, status, error } = spawnSync(process.execPath, ['bin/postern.js', 'check', ...words], {
    cwd: repositoryPath(''),
    encoding: 'utf8',
    input,
  });
  // Violated is what the second one is to be.
  if (error !== undefined || (status !== 0 && status !== 1))
    throw new Error(`postern check failed: ${stderr}`, { cause: error });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => `   ${line}`.trimEnd())
    .join('\n');
}
