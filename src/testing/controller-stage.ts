import type { ConnectivityTest, KubeObject, Lease, Status } from '../api/index.ts';
import { nodesDigest } from '../calibration/index.ts';
import { createController } from '../controller/index.ts';
import { probeAnchors, resources } from '../controller/resources.ts';
import { apiVersionOf, createKubeClient, type KubeClient, type ResourceType } from '../kube/index.ts';
import { createMetrics } from '../metrics/index.ts';
import { isProbePod } from '../plan/index.ts';
import type { ApiRequest } from './api-request.ts';
import { ApiServer } from './api-server.ts';
import { expectationOf, podOf, testOf, type TestParts } from './cluster-view.ts';
import { eventually, FakeClock, settle } from './fake-clock.ts';
import type { StoredObject } from './json.ts';
import { type Answer, isTerminated, resultOf, terminate } from './kubelet.ts';

const events: ResourceType = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
};

export interface StageOptions {
  readonly maxProbePods?: number;
  readonly maxProbePodsPerNamespace?: number;
  readonly maxProbePodsPerTest?: number;
  readonly requestTimeoutMs?: number;
}

interface Logged {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * The real controller and the real client against an in-process API server, in time that stands still until told otherwise.
 * A kubelet ends probe pods as soon as they are created, unless it is told to rest.
 */
export class Stage {
  readonly clock = new FakeClock();
  readonly logged: Logged[] = [];
  readonly metrics = createMetrics({ version: '1', revision: 'test' });
  /** How often a worker took up a test. */
  reconciles = 0;
  isKubeletAtWork = true;
  isNodeAlive = true;
  /** Kinds that the operator is not allowed to watch, by faults that a test planned. */
  forbiddenKinds = 0;
  /** What probes see: everything answers but the database. */
  answer: Answer = ({ port }) => (port === '5432' ? 'T' : 'C');
  #server: ApiServer | undefined;
  #stop: (() => Promise<void>) | undefined;
  #tokens = 0;
  #beats = 0;
  readonly #options: StageOptions;

  private constructor(options: StageOptions) {
    this.#options = options;
  }

  /** Starts an API server that has a shop: `web`, `api` and `db`, one ready pod each. */
  static async raise(options: StageOptions = {}): Promise<Stage> {
    const stage = new Stage(options);
    const kinds = Object.values(resources).map((resource) =>
      resource.plural.endsWith('connectivitytests') ? { resource, listKeys: { expectations: ['name'] } } : { resource },
    );
    stage.#server = await ApiServer.start([...kinds, { resource: probeAnchors }, { resource: events }], () =>
      stage.clock.now(),
    );
    stage.write({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { team: 'shop' } } });
    for (const pod of shopPods) stage.write(pod);
    stage.beat();
    stage.write(calibrated(stage.clock.now()));
    return stage;
  }

  get server(): ApiServer {
    if (this.#server === undefined) throw new Error('The stage was not raised');
    return this.#server;
  }

  async strike(): Promise<void> {
    await this.halt();
    await this.#server?.stop();
  }

  /** Starts the operator; resolves when it has seen everything and watches. */
  async start(): Promise<void> {
    const client = createKubeClient({
      kubeconfigPath: this.server.kubeconfigPath,
      userAgent: 'postern/1',
      requestTimeoutMs: this.#options.requestTimeoutMs ?? 30_000,
    });
    const controller = createController({
      client,
      clock: this.clock,
      log: { debug: this.#log('debug'), info: this.#log('info'), warn: this.#log('warn') },
      metrics: this.metrics,
      queueObserver: { worked: () => (this.reconciles += 1) },
      probeSettings: { image: 'probe:1', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [] },
      probePodLimits: {
        inCluster: this.#options.maxProbePods ?? 32,
        perNamespace: this.#options.maxProbePodsPerNamespace ?? 32,
        perTest: this.#options.maxProbePodsPerTest ?? 64,
      },
      token: () => `${letters((this.#tokens += 1))}aaaaaaaa`,
      instance: 'postern-0',
      namespace: 'postern',
      networkPlugin: 'none',
      calibrationPeriodSeconds,
    });
    const ending = new AbortController();
    const running = controller.run(ending.signal);
    this.#stop = () => stopped(client, ending, running);
    await this.until(
      () => controller.isReady() && this.server.openWatches === watches - this.forbiddenKinds,
      'the operator watches',
    );
    // Past the burst of changes that the first lists are, so that the next one is told from it.
    await this.pass(200);
  }

  /** Stops the operator as its signal does. */
  async halt(): Promise<void> {
    const stop = this.#stop;
    this.#stop = undefined;
    await stop?.();
  }

  /** Lets sockets and the kubelet do their work, but no time pass, until something is true. */
  async until(isTrue: () => boolean, what: string): Promise<void> {
    await eventually(() => this.#kubeletWorks() && isTrue(), what);
    await settle();
  }

  /** Lets time pass in small steps until something is true. */
  async passUntil(isTrue: () => boolean, what: string, stepMs = 100): Promise<void> {
    const end = performance.now() + 30_000;
    while (!isTrue()) {
      if (performance.now() > end) throw new Error(`Waited in vain for: ${what}`);
      this.#kubeletWorks();
      await this.pass(stepMs);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Lets time pass. What a controller at rest decides within that time is decided, and logged, afterwards. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  /** Waits until so many runs are over, with nothing left of them. */
  async atRest(runs: number): Promise<void> {
    await this.until(() => this.concluded === runs && this.probePods().length === 0, `the end of ${runs} runs`);
  }

  /** Waits for probe pods that have not ended. */
  async probing(pods = 1): Promise<readonly StoredObject[]> {
    const running = () => this.probePods().filter((pod) => !isTerminated(pod));
    await this.until(() => running().length === pods, `${pods} probe pods`);
    return running();
  }

  /** Starts the operator with a test and a kubelet at rest, and gives the one probe pod, for whose result it waits. */
  async startProbing(): Promise<StoredObject> {
    this.isKubeletAtWork = false;
    await this.start();
    this.write(boundaries());
    const [pod] = await this.probing();
    if (pod === undefined) throw new Error('There is no probe pod');
    await this.until(() => this.clock.sleeps.includes(65_000), 'the controller waits for the result');
    return pod;
  }

  /** Ends the probe pods that there are, while the kubelet rests. */
  finishProbes(message: (pod: StoredObject) => string = (pod) => resultOf(pod, this.answer)): void {
    const running = this.probePods().filter((pod) => !isTerminated(pod));
    for (const pod of running) terminate(this.server, pod, message(pod));
    if (running.length > 0 && this.isNodeAlive) this.beat();
  }

  /** The kubelet of the only node renews its Lease. */
  beat(): void {
    this.#beats += 1;
    const lease: Lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'node-1', namespace: 'kube-node-lease' },
      // Never the same time twice, even while time stands still.
      spec: { renewTime: new Date(this.clock.now() + this.#beats).toISOString() },
    };
    this.write(lease);
  }

  /** Waits until a change has reached the controller, which then waits for the rest of the burst. */
  async noticed(): Promise<void> {
    await this.until(() => this.clock.sleeps.includes(200), 'the change is noticed');
  }

  /** Runs started so far, as `namespace/name trigger`. */
  get started(): readonly string[] {
    return this.#saying('Starting run').map(({ fields }) => `${String(fields['test'])} ${String(fields['trigger'])}`);
  }

  get concluded(): number {
    return this.#saying('Run concluded').length;
  }

  get discarded(): readonly unknown[] {
    return this.#saying('Discarding run').map(({ fields }) => fields['why']);
  }

  #saying(message: string): readonly Logged[] {
    return this.logged.filter((line) => line.message === message);
  }

  write(object: KubeObject): StoredObject {
    const resource = Object.values(resources).find(
      (each) => each.kind === object.kind && apiVersionOf(each) === object.apiVersion,
    );
    if (resource === undefined) throw new Error(`No resource of kind ${object.kind}`);
    return this.server.write(resource, object);
  }

  /** Changes a test as its user does: the status stays. */
  editTest(parts: { readonly spec?: object; readonly annotations?: Readonly<Record<string, string>> }): void {
    const found = this.server.find(resources.connectivityTests, 'shop', 'boundaries');
    if (found === undefined || !isTest(found)) throw new Error('There is no test to edit');
    const { spec = {}, annotations = found.metadata.annotations ?? {} } = parts;
    const edited = { ...found, metadata: { ...found.metadata, annotations }, spec: { ...found.spec, ...spec } };
    this.write(edited);
  }

  remove(kind: string, name: string, namespace = 'shop'): void {
    const resource = Object.values(resources).find((each) => each.kind === kind);
    if (resource !== undefined) this.server.remove(resource, resource.namespaced ? namespace : undefined, name);
  }

  /** An empty namespace means a test of the whole cluster. */
  statusOf(name = 'boundaries', namespace = 'shop'): Status | undefined {
    const found =
      namespace === ''
        ? this.server.find(resources.clusterConnectivityTests, undefined, name)
        : this.server.find(resources.connectivityTests, namespace, name);
    return found !== undefined && isTest(found) ? found.status : undefined;
  }

  /** Verdict and reason by expectation. */
  verdicts(name = 'boundaries'): Readonly<Record<string, string>> {
    const rows = this.statusOf(name)?.expectations ?? [];
    return Object.fromEntries(rows.map((row) => [row.name, `${row.verdict} ${row.reason}`]));
  }

  probePods(): readonly StoredObject[] {
    return this.server.list(resources.pods).filter((pod) => isPod(pod) && isProbePod(pod));
  }

  /** The requests of a kind so far. */
  requests(verb: string, plural: string): readonly ApiRequest[] {
    return this.server.requests.filter((request) => request.verb === verb && request.plural === plural);
  }

  #kubeletWorks(): true {
    if (this.isKubeletAtWork) this.finishProbes();
    return true;
  }

  #log(level: string): (fields: object, message: string) => void {
    return (fields, message) => void this.logged.push({ level, message, fields: { ...fields } });
  }
}

/** Longer than any of the tests lets pass: calibration has tests of its own. */
const calibrationPeriodSeconds = 365 * 86_400;

/** A Calibration that measured silence on this cluster without nodes, a moment ago. */
function calibrated(now: number): StoredObject {
  const silence = { ingress: 'TimedOut', egress: 'TimedOut' };
  const time = new Date(now).toISOString();
  const condition = {
    status: 'True',
    reason: 'Measured',
    message: '',
    observedGeneration: 1,
    lastTransitionTime: time,
  };
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'Calibration',
    metadata: { name: 'cluster' },
    spec: { probeReplicas: 0 },
    status: {
      denials: { ipFamily: 'IPv4', tcp: silence, udp: silence },
      measuredTime: time,
      nodes: nodesDigest([]),
      conditions: ['Calibrated', 'Enforced'].map((type) => ({ type, ...condition })),
    },
  };
}

/** Every kind that the controller watches. */
const watches = Object.keys(resources).length;

export const web = podOf('web-0', { labels: { app: 'web' }, ip: '10.0.0.1' });
export const api = podOf('api-0', { labels: { app: 'api' }, ip: '10.0.0.2' });
export const db = podOf('db-0', {
  labels: { app: 'db' },
  ip: '10.0.0.3',
  spec: { nodeName: 'node-1', containers: [{ name: 'db', readinessProbe: { tcpSocket: { port: 5432 } } }] },
});
const shopPods = [web, api, db];

/** A test of the shop: web reaches api, and does not reach db. One probe pod, two checks. */
export function boundaries(name = 'boundaries', parts: TestParts = {}): ConnectivityTest {
  const from = { pods: { matchLabels: { app: 'web' } } };
  const allow = expectationOf({ from, to: { pods: { matchLabels: { app: 'api' } }, port: 8080 } });
  const deny = { to: { pods: { matchLabels: { app: 'db' } }, port: 5432 }, expect: 'Deny' } as const;
  const test = testOf([allow, expectationOf({ name: 'web-not-db', from, ...deny })], parts);
  return { ...test, metadata: { ...test.metadata, name } };
}

async function stopped(client: KubeClient, ending: AbortController, running: Promise<void>): Promise<void> {
  ending.abort();
  try {
    await running;
  } finally {
    await client.close();
  }
}

/** A number as eight letters from a to p. */
function letters(number: number): string {
  const digits = [...number.toString(16).padStart(8, '0')];
  return digits.map((digit) => String.fromCharCode(97 + Number.parseInt(digit, 16))).join('');
}

function isTest(object: KubeObject): object is ConnectivityTest {
  return object.kind === 'ConnectivityTest' || object.kind === 'ClusterConnectivityTest';
}

function isPod(object: KubeObject): object is Parameters<typeof isProbePod>[0] {
  return object.kind === 'Pod';
}
