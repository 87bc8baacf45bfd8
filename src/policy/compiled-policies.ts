import type { Policy } from '../api/index.ts';
import type { CalicoContext } from './calico-tier.ts';
import { compile } from './compile.ts';
import type { CompiledPolicy } from './normal-form.ts';
import type { Reading } from './profile.ts';

interface Kept {
  readonly context: string;
  readonly compiled: CompiledPolicy;
}

/**
 * What policies compiled to, by the very object: models of several worlds that share policies compile each once, and what became
 * of an object that nobody holds any longer is forgotten with it.
 */
export class CompiledPolicies {
  readonly #byReading = new Map<Reading, WeakMap<Policy, Kept>>();

  of(policies: readonly Policy[], reading: Reading, calico: CalicoContext): readonly CompiledPolicy[] {
    const kept = this.#byReading.get(reading) ?? new WeakMap<Policy, Kept>();
    this.#byReading.set(reading, kept);
    // Where there is Calico, another policy or tier may change what this one means.
    const context = JSON.stringify([calico.isPresent, [...calico.tiers]]);
    return policies.map((policy) => {
      const found = kept.get(policy);
      if (found?.context === context) return found.compiled;
      const compiled = compile(policy, reading, calico);
      kept.set(policy, { context, compiled });
      return compiled;
    });
  }
}
