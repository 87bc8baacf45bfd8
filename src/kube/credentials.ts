import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { isIPv6 } from 'node:net';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../clock/index.ts';
import { KubeError } from './errors.ts';

/** What TLS needs to know about the cluster and the client. */
interface TlsMaterial {
  readonly ca?: Buffer | string;
  readonly cert?: Buffer | string;
  readonly key?: Buffer | string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** Who we are and whom we talk to, as of now: tokens and certificates rotate, so ask again for every request. */
export interface Access {
  readonly server: string;
  readonly proxyUrl?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
}

export type Credentials = () => Promise<Access>;

/** Where a pod finds the API server and its service account. */
export interface InCluster {
  /** The value of `KUBERNETES_SERVICE_HOST`. */
  readonly host: string;
  /** The value of `KUBERNETES_SERVICE_PORT`. */
  readonly port: string;
  /** Where the service account is mounted, if not at the usual place. */
  readonly serviceAccountDirectory?: string;
}

const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

/** As client-go: the kubelet rotates tokens long before they expire. */
const REREAD_AFTER_MS = 60_000;

/**
 * Credentials of the pod's service account. Written here because loading client-node would more than double the memory
 * of an operator that needs two files of it.
 */
export function inClusterCredentials(options: InCluster, clock: Clock): Credentials {
  const directory = options.serviceAccountDirectory ?? SERVICE_ACCOUNT_DIRECTORY;
  const host = isIPv6(options.host) ? `[${options.host}]` : options.host;
  let read: { readonly access: Access; readonly at: number } | undefined;

  return async () => {
    if (read !== undefined && clock.monotonic() - read.at < REREAD_AFTER_MS) return read.access;
    try {
      const [token, ca] = await Promise.all([readFile(`${directory}/token`, 'utf8'), readFile(`${directory}/ca.crt`)]);
      const access = {
        server: `https://${host}:${options.port}`,
        headers: { authorization: `Bearer ${token.trim()}` },
        tls: { ca },
      };
      read = { access, at: clock.monotonic() };
      return access;
    } catch (error) {
      throw new KubeError('Credentials', 'Reading the service account of the pod failed', { cause: error });
    }
  };
}

/** Which kubeconfig to use: a file or, without a path, what kubectl would take. */
export interface KubeconfigChoice {
  readonly path?: string | undefined;
  readonly context?: string | undefined;
}

/** Credentials of a kubeconfig, by client-node, which knows exec plugins and the other ways to authenticate. */
export function kubeconfigCredentials(choice: KubeconfigChoice): Credentials {
  let loading: Promise<KubeConfig> | undefined;

  return async () => {
    loading ??= loadKubeconfig(choice);
    try {
      return await accessByKubeconfig(await loading);
    } catch (error) {
      if (error instanceof KubeError) throw error;
      throw new KubeError('Credentials', `Reading the credentials of the kubeconfig failed${systemReason(error)}`);
    }
  };
}

// Parsers quote the file and exec plugins their output, tokens perhaps included; the system only names the file.
function systemReason(error: unknown): string {
  return error instanceof Error && 'syscall' in error && 'path' in error ? `: ${error.message}` : '';
}

async function loadKubeconfig(choice: KubeconfigChoice): Promise<KubeConfig> {
  // Loaded when needed: importing client-node takes most of a second and 90 MB.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  if (choice.path === undefined) config.loadFromDefault();
  else config.loadFromFile(choice.path);
  if (choice.context !== undefined) config.setCurrentContext(choice.context);
  return config;
}

async function accessByKubeconfig(config: KubeConfig): Promise<Access> {
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new KubeError('Credentials', `The kubeconfig has no cluster for the context "${config.getCurrentContext()}"`);
  }
  // client-node answers with TLS options and headers in one object, and reads files and runs plugins again when due.
  const options: RequestOptions & { auth?: string | null } = { headers: {} };
  await config.applyToHTTPSOptions(options);
  return {
    server: cluster.server.replace(/\/+$/, ''),
    ...(cluster.proxyUrl === undefined ? {} : { proxyUrl: cluster.proxyUrl }),
    headers: { ...textHeaders(options.headers), ...basicAuthorization(options.auth) },
    tls: {
      ...material('ca', options.ca),
      ...material('cert', options.cert),
      ...material('key', options.key),
      ...(options.servername === undefined ? {} : { servername: options.servername }),
      ...(options.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: options.rejectUnauthorized }),
    },
  };
}

function textHeaders(headers: RequestOptions['headers']): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (typeof value === 'string') texts[name.toLowerCase()] = value;
  }
  return texts;
}

function basicAuthorization(auth: string | null | undefined): Record<string, string> {
  return typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
}

function material(name: 'ca' | 'cert' | 'key', value: unknown): TlsMaterial {
  return typeof value === 'string' || Buffer.isBuffer(value) ? { [name]: value } : {};
}

/** Changes whenever connections that were made with the old access must not be used for new requests. */
export function connectionIdentity(access: Access): string {
  const hash = createHash('sha256');
  const { ca, cert, key, servername, rejectUnauthorized } = access.tls;
  for (const part of [access.server, access.proxyUrl, servername, String(rejectUnauthorized), ca, cert, key]) {
    hash.update(part ?? '').update('\0');
  }
  return hash.digest('base64');
}
