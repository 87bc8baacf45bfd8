import type { FindingCode, PolicyFinding } from '../policy/index.ts';
import { policyInWords } from '../prediction/index.ts';
import type { AuditCode, AuditFinding, AuditSeverity } from './finding.ts';
import type { AuditScene } from './scene.ts';

const kinds: Readonly<Record<FindingCode, readonly [AuditCode, AuditSeverity] | undefined>> = {
  Rejected: ['PolicyInvalid', 'High'],
  UnknownField: ['PolicyNotModelled', 'Medium'],
  NotModelled: ['PolicyNotModelled', 'Medium'],
  Ignored: ['RulesIgnored', 'Medium'],
  // A reader of manifests puts every object into a namespace, and says so.
  NamespaceAssumed: undefined,
};

/** Policies that cannot be read wholly, or that say something in vain. */
export function policiesNotWhollyRead({ model }: AuditScene): readonly AuditFinding[] {
  return model.findings.flatMap(({ code, message, part }: PolicyFinding): readonly AuditFinding[] => {
    const kind = kinds[code];
    if (kind === undefined) return [];
    return [
      {
        code: kind[0],
        severity: kind[1],
        object: part.policy,
        path: part.path,
        directions: [],
        message: `${policyInWords(part.policy)}, ${part.path}: ${message}`,
      },
    ];
  });
}
