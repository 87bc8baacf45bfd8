import type { Presumption, Showing } from './presumption.ts';
import type { Trap } from './trap.ts';

/** What one trap showed. */
export interface Finding {
  readonly trap: Trap;
  readonly family: string;
  readonly presumes: Presumption;
  /** What it has to come to on this cluster. */
  readonly showing: Showing;
  /** What was seen with the guard in place; absent if the trap was not sprung. */
  readonly withGuard?: string;
  /** What was seen without it; absent if it was not taken out. */
  readonly withoutGuard?: string;
}

/** Whether a trap has no meaning on this cluster, for the reason that it states. */
function isSkipped({ showing }: Finding): boolean {
  return showing.skipped !== undefined;
}

/** Whether the guard held, and whether it is what held; or whether there was nothing to hold. */
export function isCaught(finding: Finding): boolean {
  const { showing, withoutGuard } = finding;
  return isSkipped(finding) || (isHeld(finding) && (withoutGuard === undefined || withoutGuard === showing.wrong));
}

function isHeld({ trap, showing, withGuard }: Finding): boolean {
  if (withGuard === undefined) return false;
  if (showing.right !== undefined) return withGuard === showing.right;
  return verdict.test(withGuard) && withGuard !== trap.wrong && !withGuard.startsWith('Passed');
}

const verdict = /^(Passed|Failed|Inconclusive|Skipped) /;

function isWrongPass({ showing, withGuard }: Finding): boolean {
  return withGuard?.startsWith('Passed') === true && withGuard !== showing.right;
}

/** One line per trap. */
export function tableOf(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => [
    isSkipped(finding) ? 'skipped' : isCaught(finding) ? 'ok' : 'BROKEN',
    finding.family,
    finding.trap.name,
    finding.withGuard ?? '-',
    finding.withoutGuard ?? '-',
    finding.trap.guard.file,
    finding.presumes,
    finding.showing.skipped ?? '',
  ]);
  const all = [['', 'family', 'trap', 'with guard', 'without guard', 'guard in', 'presumes', 'why skipped'], ...rows];
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
  const { trap, showing, withGuard = 'nothing', withoutGuard } = finding;
  if (isSkipped(finding)) return [];
  const wanted =
    showing.right === undefined ? `have a verdict other than ${trap.wrong}, and no pass` : `be ${showing.right}`;
  return [
    ...(isHeld(finding) ? [] : [`${trap.name}: must ${wanted}, is ${withGuard}`]),
    ...(withoutGuard === undefined || withoutGuard === showing.wrong
      ? []
      : [`${trap.name}: catches nothing: without its guard it must be ${showing.wrong}, is ${withoutGuard}`]),
  ];
}

/** How many traps there were, and what became of them. A wrong verdict with its guard in place is a defect of Postern. */
export function totalsOf(findings: readonly Finding[]): string {
  const sprung = findings.filter((finding) => !isSkipped(finding));
  const held = sprung.filter(isHeld).length;
  const caught = sprung.filter(
    ({ showing, withoutGuard }) => showing.wrong !== undefined && withoutGuard === showing.wrong,
  );
  const shown = sprung.filter(isCaught).length;
  const wrongPasses = sprung.filter(isWrongPass).length;
  return [
    `${findings.length} traps: ${shown} shown, ${sprung.length - shown} not shown, ${findings.length - sprung.length} skipped`,
    `right verdict with the guard: ${held}; wrong verdict without it: ${caught.length}; wrong passes with the guard: ${wrongPasses}`,
  ].join('\n');
}
