import type { KubeObject } from '../api/objects.ts';
import type { Clock } from '../clock/index.ts';
import { plainText } from '../text/index.ts';
import type { KubeClient } from './client.ts';
import { EventBudget } from './event-budget.ts';
import { isKubeError } from './errors.ts';
import type { Log } from './log.ts';
import type { ResourceType } from './resource.ts';

export interface EventRecord {
  /** What the event is about: shown by `kubectl describe` of that object. */
  readonly regarding: KubeObject;
  readonly type: 'Normal' | 'Warning';
  /** Why, in one CamelCase word. */
  readonly reason: string;
  /** What was done, in one CamelCase word. */
  readonly action: string;
  /** For humans. Made one line of harmless text of at most 1024 bytes. */
  readonly note: string;
  readonly signal: AbortSignal;
}

export interface EventRecorder {
  /** Sends an event if the budget allows. Never rejects: an event is a courtesy. */
  record(event: EventRecord): Promise<void>;
}

export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** Who reports, for example `postern.dev/operator`. */
  readonly component: string;
  /** Which one of them, for example the name of the pod. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
}

const EVENTS: ResourceType = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

// The limits that the API server enforces, in bytes.
const MAX_NOTE_BYTES = 1024;
const MAX_WORD_BYTES = 128;
const MAX_NAME_LENGTH = 253;

/** Where events about cluster-scoped objects go. */
const DEFAULT_NAMESPACE = 'default';

/** A recorder of events. The caller records one event per transition; the recorder only caps what goes wrong with that. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock, log } = options;
  const budget = new EventBudget(clock);
  return {
    async record(event) {
      const { metadata, kind } = event.regarding;
      const fields = { kind, namespace: metadata.namespace, name: metadata.name, reason: event.reason };
      if (!budget.take(`${kind}/${metadata.namespace ?? ''}/${metadata.name}`)) {
        log.debug(fields, 'Dropped an event over the budget');
        return;
      }
      try {
        await client.create(EVENTS, eventObject(event, options), { signal: event.signal });
      } catch (error) {
        if (isKubeError(error, 'Aborted')) return;
        log.warn({ ...fields, err: error instanceof Error ? error.message : 'unknown' }, 'Recording an event failed');
      }
    },
  };
}

interface EventObject extends KubeObject {
  readonly [field: string]: unknown;
}

function eventObject(event: EventRecord, options: EventRecorderOptions): EventObject {
  const { regarding } = event;
  const { name, namespace, uid, resourceVersion } = regarding.metadata;
  const now = options.clock.now();
  const suffix = `.${now.toString(16)}${Math.floor(options.clock.random() * 2 ** 32).toString(16)}`;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: {
      name: name.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix,
      namespace: namespace ?? DEFAULT_NAMESPACE,
    },
    // A MicroTime: the API server wants six digits.
    eventTime: new Date(now).toISOString().replace('Z', '000Z'),
    reportingController: plainText(options.component, MAX_WORD_BYTES),
    reportingInstance: plainText(options.instance, MAX_WORD_BYTES),
    action: plainText(event.action, MAX_WORD_BYTES),
    reason: plainText(event.reason, MAX_WORD_BYTES),
    type: event.type,
    note: plainText(event.note, MAX_NOTE_BYTES),
    regarding: { apiVersion: regarding.apiVersion, kind: regarding.kind, name, namespace, uid, resourceVersion },
  };
}
