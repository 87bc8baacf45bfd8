import { Agent, ProxyAgent, Socks5ProxyAgent, type Dispatcher } from 'undici';
import { connectionIdentity, type Access } from './credentials.ts';

/** The two pools of one process: watches have their own, so that they can never starve requests of connections. */
export interface Pools {
  readonly requests: Dispatcher;
  readonly watches: Dispatcher;
}

/** Shared connections to the API server, made anew when its certificate authority or our client certificate changes. */
export class Connections {
  readonly #connectTimeoutMs: number;
  #current: { readonly identity: string; readonly pools: Pools } | undefined;
  readonly #retired = new Set<Dispatcher>();
  #closed = false;

  constructor(connectTimeoutMs: number) {
    this.#connectTimeoutMs = connectTimeoutMs;
  }

  /** The pools that fit the access. Unfinished requests on the pools before may end in peace. */
  poolsFor(access: Access): Pools {
    if (this.#closed) throw new Error('The client is closed');
    const identity = connectionIdentity(access);
    if (this.#current?.identity === identity) return this.#current.pools;
    if (this.#current !== undefined) this.#retire(this.#current.pools);
    const pools = { requests: this.#open(access), watches: this.#open(access) };
    this.#current = { identity, pools };
    return pools;
  }

  /** Ends every connection, watches included. */
  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#retired];
    if (this.#current !== undefined) all.push(this.#current.pools.requests, this.#current.pools.watches);
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
  }

  #retire(pools: Pools): void {
    for (const dispatcher of [pools.requests, pools.watches]) {
      this.#retired.add(dispatcher);
      void dispatcher.close().finally(() => this.#retired.delete(dispatcher));
    }
  }

  #open(access: Access): Dispatcher {
    // Load balancers drop idle connections after a minute; client-go keeps alive every 30 s for the same reason.
    const connect = { ...access.tls, keepAlive: true, keepAliveInitialDelay: 30_000, timeout: this.#connectTimeoutMs };
    // API servers close what was idle for 90 s; we should be the first, or a request may meet the closing.
    const options = { keepAliveTimeout: 80_000 };
    const { proxyUrl } = access;
    if (proxyUrl === undefined) return new Agent({ ...options, connect });
    if (proxyUrl.startsWith('socks')) {
      return new Socks5ProxyAgent(proxyUrl.replace(/^socks5?h?:/, 'socks5:'), { ...options, requestTls: access.tls });
    }
    return new ProxyAgent({ ...options, uri: proxyUrl, requestTls: access.tls });
  }
}
