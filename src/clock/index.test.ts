import { describe, expect, it, vi } from 'vitest';
import { systemClock } from './index.ts';

describe('systemClock.monotonic', () => {
  it('goes on where the machine is told that it is another time', () => {
    vi.useFakeTimers({ now: 0, toFake: ['Date'] });
    const before = systemClock.monotonic();

    expect(systemClock.now()).toBe(0);
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
    expect(before).toBeGreaterThan(0);
    vi.useRealTimers();
  });
});

describe('systemClock.sleep', () => {
  it('resolves at once when the signal aborts', async () => {
    const controller = new AbortController();
    const sleeping = systemClock.sleep(3_600_000, controller.signal);

    controller.abort();

    await expect(sleeping).resolves.toBeUndefined();
  });

  it('does not truncate waits that are longer than a Node timer can be', async () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const controller = new AbortController();
    let woke = false;
    const sleeping = systemClock.sleep(2 ** 32, controller.signal).then(() => (woke = true));

    await new Promise((resolve) => setTimeout(resolve, 20));

    expect(woke).toBe(false);
    expect(warnings).not.toHaveBeenCalled();
    controller.abort();
    await sleeping;
    warnings.mockRestore();
  });
});
