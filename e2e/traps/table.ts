import type { Presumption, Trap } from './trap.ts';

/** What one trap showed. */
export interface Finding {
  readonly trap: Trap;
  readonly family: string;
  readonly presumes: Presumption;
  /** What was seen with the guard in place. */
  readonly withGuard: string;
  /** What was seen without it; absent if it was not taken out. */
  readonly withoutGuard?: string;
}

/** Whether the guard held, and whether it is what held. */
export function isCaught({ trap, withGuard, withoutGuard }: Finding): boolean {
  return withGuard === trap.right && (withoutGuard === undefined || withoutGuard === trap.wrong);
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
export function complaintsAbout({ trap, withGuard, withoutGuard }: Finding): readonly string[] {
  return [
    ...(withGuard === trap.right ? [] : [`${trap.name}: must be ${trap.right}, is ${withGuard}`]),
    ...(withoutGuard === undefined || withoutGuard === trap.wrong
      ? []
      : [`${trap.name}: catches nothing: without its guard it must be ${trap.wrong}, is ${withoutGuard}`]),
  ];
}

/** How many traps there were, and what became of them. A wrong verdict with its guard in place is a defect of Postern. */
export function totalsOf(findings: readonly Finding[]): string {
  const held = findings.filter(({ trap, withGuard }) => withGuard === trap.right).length;
  const caught = findings.filter(({ trap, withoutGuard }) => withoutGuard === trap.wrong).length;
  const shown = findings.filter(isCaught).length;
  const wrongPasses = findings.filter(
    ({ trap, withGuard }) => withGuard !== trap.right && withGuard.startsWith('Passed'),
  ).length;
  return [
    `${findings.length} traps: ${shown} shown, ${findings.length - shown} not shown`,
    `right verdict with the guard: ${held}; wrong verdict without it: ${caught}; wrong passes with the guard: ${wrongPasses}`,
  ].join('\n');
}
