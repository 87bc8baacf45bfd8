import { findingFirst, type Place, type Report, type ReportRow, worstFirst } from './report.ts';

/** SARIF 2.1.0, for code scanning: what did not pass, at the expectation's line, with the policies that decided beside it. */
export function sarifReport({ version, rows }: Report): string {
  const open = worstFirst(rows).filter(({ verdict }) => verdict === 'Failed' || verdict === 'Inconclusive');
  const reasons = [...new Set(open.map(({ reason }) => reason))];
  return sarifLog(
    version,
    reasons.map((id) => ({ id })),
    open.map(resultOf),
  );
}

/** One run of Postern, as SARIF has it. */
export function sarifLog(version: string, rules: readonly object[], results: readonly object[]): string {
  const content = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'postern', version, rules } }, results }],
  };
  return JSON.stringify(content, null, 2);
}

function resultOf(row: ReportRow): object {
  const { namespace, test, expectation, verdict, reason, message, place, policies } = row;
  return {
    ruleId: reason,
    level: verdict === 'Failed' ? 'error' : 'warning',
    message: { text: `${verdict} (predicted): ${expectation}: ${findingFirst(row, `${reason}: ${message}`)}` },
    locations: place === undefined ? [] : [locationOf(place)],
    relatedLocations: policies.flatMap(({ place, name, path }) =>
      place === undefined ? [] : [{ ...locationOf(place), message: { text: `${name} ${path}` } }],
    ),
    // One result per expectation, whatever its message says: an alert then stays the same alert.
    partialFingerprints: { 'postern/v1': `${namespace}/${test}/${expectation}` },
  };
}

export function locationOf({ file, line, column }: Place): object {
  return {
    physicalLocation: {
      artifactLocation: { uri: file.split('/').map(encodeURIComponent).join('/') },
      region: { startLine: line, startColumn: column },
    },
  };
}
