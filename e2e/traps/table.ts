import type { Presumption, Trap } from './trap.ts';

/** What one trap showed. */
export interface Finding {
  readonly trap: Trap;
  readonly family: string;
  readonly presumes: Presumption;
  /** Whether the cluster is as the trap presumes. If not, what is right there is not known, only what is wrong everywhere. */
  readonly isAtHome: boolean;
  /** What was seen with the guard in place. */
  readonly withGuard: string;
  /** What was seen without it; absent if it was not taken out. */
  readonly withoutGuard?: string;
}

/** Whether the guard held, and whether it is what held. */
export function isCaught(finding: Finding): boolean {
  const { trap, withoutGuard } = finding;
  return isHeld(finding) && (withoutGuard === undefined || withoutGuard === trap.wrong);
}

function isHeld({ trap, isAtHome, withGuard }: Finding): boolean {
  if (isAtHome) return withGuard === trap.right;
  return verdict.test(withGuard) && withGuard !== trap.wrong && !isWrongPass({ trap, withGuard });
}

const verdict = /^(Passed|Failed|Inconclusive|Skipped) /;

function isWrongPass({ trap, withGuard }: Pick<Finding, 'trap' | 'withGuard'>): boolean {
  return withGuard.startsWith('Passed') && withGuard !== trap.right;
}

/** One line per trap. */
export function tableOf(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => [
    isCaught(finding) ? 'ok' : 'BROKEN',
    finding.family,
    finding.trap.name,
    finding.withGuard,
    finding.withoutGuard ?? '-',
    finding.trap.guard.file,
    finding.presumes,
  ]);
  const all = [['', 'family', 'trap', 'with guard', 'without guard', 'guard in', 'presumes'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What is wrong with a trap, in words; empty if nothing is. */
export function complaintsAbout(finding: Finding): readonly string[] {
  const { trap, isAtHome, withGuard, withoutGuard } = finding;
  const wanted = isAtHome ? `be ${trap.right}` : `have a verdict other than ${trap.wrong}, and no pass`;
  return [
    ...(isHeld(finding) ? [] : [`${trap.name}: must ${wanted}, is ${withGuard}`]),
    ...(withoutGuard === undefined || withoutGuard === trap.wrong
      ? []
      : [`${trap.name}: catches nothing: without its guard it must be ${trap.wrong}, is ${withoutGuard}`]),
  ];
}

/** How many traps there were, and what became of them. A wrong verdict with its guard in place is a defect of Postern. */
export function totalsOf(findings: readonly Finding[]): string {
  const held = findings.filter(isHeld).length;
  const caught = findings.filter(({ trap, withoutGuard }) => withoutGuard === trap.wrong).length;
  const shown = findings.filter(isCaught).length;
  const wrongPasses = findings.filter(isWrongPass).length;
  return [
    `${findings.length} traps: ${shown} shown, ${findings.length - shown} not shown`,
    `right verdict with the guard: ${held}; wrong verdict without it: ${caught}; wrong passes with the guard: ${wrongPasses}`,
  ].join('\n');
}
