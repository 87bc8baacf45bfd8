import { auditOf, statementRows } from '../src/audit/index.ts';
import { explain } from '../src/explanation/index.ts';
import { policyModel } from '../src/policy/index.ts';
import { policyAt, sequence, workloadOf, worldOf, type WorldSize } from './world.ts';

/** Measures the policy model and prints figures of this one run; a table for reading, not a test. */

const sizes: readonly WorldSize[] = [
  { pods: 1000, policies: 500, namespaces: 20 },
  { pods: 3000, policies: 500, namespaces: 20 },
  { pods: 10_000, policies: 500, namespaces: 20 },
];
const ports = [8080, 9050] as const;
const questions = 2000;
const explanations = 100;

/** Processor time in milliseconds: on a shared machine the clock on the wall measures the neighbours. */
function timed<T>(work: () => T): { readonly result: T; readonly ms: number } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { result, ms: (user + system) / 1000 };
}

function measure(size: WorldSize) {
  const world = worldOf(size);
  const { result: model, ms: compileMs } = timed(() => policyModel(world));
  const { result: reachability, ms: reachabilityMs } = timed(() => {
    const made = model.reachability();
    for (const port of ports) made.counts('TCP', port);
    return made;
  });
  const { result: classes, ms: classesMs } = timed(() => reachability.classes.length);
  const namespaces = world.namespaces.map(({ metadata }) => metadata.name);
  const { ms: changeMs } = timed(() => {
    const changed = model.withPolicy(policyAt(size.policies, namespaces, sequence(7)));
    for (const port of ports) changed.reachability().counts('TCP', port);
  });
  const { ms: rebuildMs } = timed(() =>
    model.withPolicy(policyAt(size.policies, namespaces, sequence(7))).reachability(),
  );
  const pick = sequence(1);
  const { ms: questionsMs } = timed(() => {
    for (let index = 0; index < questions; index += 1) {
      const endpoint = () => ({ kind: 'pod' as const, namespace: '', name: '', ...reachability.pods[pick(size.pods)] });
      model.decide({ source: endpoint(), destination: endpoint(), protocol: 'TCP', port: 8080 });
    }
  });
  const { ms: explanationsMs } = timed(() => {
    for (let index = 0; index < explanations; index += 1) {
      const endpoint = () => ({ kind: 'pod' as const, namespace: '', name: '', ...reachability.pods[pick(size.pods)] });
      const question = { source: endpoint(), destination: endpoint(), protocol: 'TCP' as const, port: 8080 };
      explain(model, { question, expected: index % 2 === 0 ? 'Allow' : 'Deny' });
    }
  });
  // Its statement names every pair of workloads, which takes longer than a bench of the model should for larger worlds.
  const { ms: auditMs } = timed(() =>
    size.pods > 1000 ? undefined : statementRows(auditOf({ ...world, assumed: [], ownerOf: workloadOf }).statement),
  );
  const pairs = size.pods * (size.pods - 1) * ports.length;
  const { allow, deny, undefined: open } = reachability.counts('TCP', ports[0]);
  return {
    ...size,
    classes,
    'compile ms': Math.round(compileMs),
    'all pairs, 2 ports ms': Math.round(reachabilityMs),
    'M pairs/s': Number((pairs / 1000 / reachabilityMs).toFixed(1)),
    'classes ms': Math.round(classesMs),
    'one policy more ms': Number(rebuildMs.toFixed(1)),
    'and all pairs again ms': Math.round(changeMs),
    'one decision µs': Math.round((questionsMs * 1000) / questions),
    'one explanation ms': Number((explanationsMs / explanations).toFixed(2)),
    'audit ms': size.pods > 1000 ? '' : Math.round(auditMs),
    'heap MB': Math.round(process.memoryUsage().heapUsed / 2 ** 20),
    'buffers MB': Math.round(process.memoryUsage().arrayBuffers / 2 ** 20),
    'admitted %': Number(((100 * allow) / (allow + deny + open)).toFixed(1)),
  };
}

// The first world warms the compiler up, and is not shown.
measure({ pods: 200, policies: 100, namespaces: 5 });
const figures = sizes.map(measure);
const columns = figures.map(({ pods, ...rest }) => [['', `${pods} pods`], ...Object.entries(rest)]);
for (const [index, [name]] of (columns[0] ?? []).entries()) {
  const cells = columns.map((column) => String(column[index]?.[1]).padStart(12));
  process.stdout.write(`${(name ?? '').padEnd(24)}${cells.join('')}\n`);
}
