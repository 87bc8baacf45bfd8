import { type DestinationStream, type Logger, pino } from 'pino';
import { escapeUnseen } from '../text/index.ts';

/**
 * The operator's log: one JSON object per line. Its fields hold words of others (names, causes of errors, stack traces), and logs
 * are read in terminals; pino itself escapes only what JSON demands.
 */
export function createLog(level: string, destination: DestinationStream = pino.destination(1)): Logger {
  return pino(
    {
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => destination.write(escapeUnseen(line)) },
  );
}
