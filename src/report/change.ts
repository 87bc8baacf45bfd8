import type { Verdict } from '../api/index.ts';
import { markdown, tableRow } from './markdown.ts';
import { counted, placeWords, type Place } from './report.ts';

/** Ports over which a connection becomes possible, impossible, or open to doubt. */
export interface ConnectionRow {
  readonly change: 'Opened' | 'Closed' | 'Uncertain';
  readonly from: string;
  readonly to: string;
  /** Such as `TCP 8080` or `TCP 1-79, 81-65535`. */
  readonly ports: string;
  readonly before: string;
  readonly after: string;
}

/** An expectation whose verdict a change turns. */
export interface ExpectationRow {
  readonly namespace: string;
  readonly test: string;
  readonly expectation: string;
  readonly before: Verdict | 'Absent';
  readonly after: Verdict | 'Absent';
  readonly message: string;
  readonly place?: Place;
}

/** What a change of manifests does, predicted. */
export interface ChangeReport {
  readonly version: string;
  readonly connections: readonly ConnectionRow[];
  readonly expectations: readonly ExpectationRow[];
}

export function changeSummary({ connections, expectations }: ChangeReport): string {
  const count = (wanted: ConnectionRow['change']): number =>
    connections.filter(({ change }) => change === wanted).length;
  const turn = counted(expectations.length, 'expectation turns', 'expectations turn');
  const violated = expectations.filter(({ after }) => after === 'Failed').length;
  return `predicted: ${count('Opened')} opened, ${count('Closed')} closed, ${count('Uncertain')} uncertain connections; ${turn}, ${violated} of them to Failed`;
}

export function textChanges(report: ChangeReport): string {
  return [
    ...report.connections.map(
      ({ change, from, to, ports, before, after }) =>
        `${change.toUpperCase().padEnd(9)}  ${from} -> ${to}  ${ports}${change === 'Uncertain' ? `  (${before} -> ${after})` : ''}`,
    ),
    ...report.expectations.map(
      ({ namespace, test, expectation, before, after, message, place }) =>
        `${after.toUpperCase().padEnd(9)}  ${namespace}/${test}: ${expectation}${place === undefined ? '' : `  ${placeWords(place)}`}\n  was ${before}; predicted ${message}`,
    ),
    changeSummary(report),
  ].join('\n');
}

export function markdownChanges(report: ChangeReport): string {
  const { connections, expectations } = report;
  return [
    `**Postern:** ${changeSummary(report)}`,
    ...(connections.length === 0
      ? []
      : [
          '',
          '| Change | From | To | Ports |',
          '| --- | --- | --- | --- |',
          ...connections.map(({ change, from, to, ports, before, after }) =>
            tableRow([
              change === 'Uncertain' ? `${change} (${before} to ${after})` : change,
              ...[from, to, ports].map(markdown),
            ]),
          ),
        ]),
    ...(expectations.length === 0
      ? []
      : [
          '',
          '| Expectation | Was | Becomes | Why |',
          '| --- | --- | --- | --- |',
          ...expectations.map(({ namespace, test, expectation, before, after, message }) =>
            tableRow([markdown(`${namespace}/${test}: ${expectation}`), before, after, markdown(message)]),
          ),
        ]),
  ].join('\n');
}

/** For programs; see `jsonReport` about `format`. */
export function jsonChanges({ version, connections, expectations }: ChangeReport): string {
  return JSON.stringify({ format: 'postern-changes/v1', predicted: true, version, connections, expectations }, null, 2);
}
