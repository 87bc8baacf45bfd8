import { defineConfig } from 'vitest/config';

/**
 * `unit` needs nothing but Node; the others need the cluster of `npm run cluster:up`, and run their files one after another
 * because they share it. `calibration` reconfigures that cluster's network plugin for a while; `unenforced`, `half-enforced`,
 * `rejecting`, `refusing` and `dual-stack` need clusters with another one, which `POSTERN_CNI` chooses.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'e2e/cluster/**/*.test.ts',
            'e2e/scenarios/**/*.test.ts',
            'e2e/traps/**/*.test.ts',
            'e2e/worlds/**/*.test.ts',
            'deploy/**/*.test.ts',
          ],
        },
      },
      {
        test: {
          name: 'integration',
          globalSetup: ['e2e/harness/setup.ts'],
          include: ['e2e/integration/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'e2e',
          globalSetup: ['e2e/harness/setup.ts'],
          include: ['e2e/suite/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'calibration',
          globalSetup: ['e2e/harness/setup.ts'],
          include: ['e2e/calibration/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 420_000,
          hookTimeout: 420_000,
        },
      },
      {
        test: {
          name: 'unenforced',
          globalSetup: ['e2e/harness/setup.ts'],
          include: ['e2e/unenforced/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'rejecting',
          globalSetup: ['e2e/harness/setup.ts'],
          include: ['e2e/rejecting/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'dual-stack',
          globalSetup: ['e2e/harness/setup.ts'],
          include: ['e2e/dual-stack/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'half-enforced',
          globalSetup: ['e2e/harness/setup.ts'],
          include: ['e2e/half-enforced/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'refusing',
          globalSetup: ['e2e/harness/setup.ts'],
          include: ['e2e/refusing/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
