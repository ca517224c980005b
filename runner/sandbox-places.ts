import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../shared/log.ts';
import type { SandboxProcess } from './sandbox-process.ts';

/** Where one sandbox after the other ends before it is ready, the next is tried after this long, not in a busy loop. */
const RESTART_DELAY_MS = 500;

export interface SandboxPlacesOptions {
  /** @throws Error when it could not even be asked for */
  readonly create: () => SandboxProcess;
  readonly onReady: (sandbox: SandboxProcess) => void;
  readonly onEnd: (sandbox: SandboxProcess) => void;
  readonly log: Logger;
}

/** Has so many sandboxes there: one that ended is replaced at once. */
export class SandboxPlaces {
  readonly #options: SandboxPlacesOptions;
  readonly #all = new Set<SandboxProcess>();
  readonly #firstReady = Promise.withResolvers<void>();
  #closing = false;

  constructor(options: SandboxPlacesOptions) {
    this.#options = options;
  }

  /** Starts so many and waits until the first is ready. */
  async fill(count: number): Promise<void> {
    for (let i = 0; i < count; i++) void this.#keep();
    await this.#firstReady.promise;
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const sandbox of this.#all) sandbox.kill('closing');
    await Promise.all([...this.#all].map((sandbox) => sandbox.ended));
  }

  /** Keeps one place filled: starts a sandbox, waits for its end, starts the next. */
  async #keep(): Promise<void> {
    const { log } = this.#options;
    let emptySince: number | undefined;
    for (let failures = 0; !this.#closing;) {
      const isReady = await this.#occupy(emptySince).catch((error: unknown) => {
        log.error({ err: error }, 'a sandbox could not be started');
        return false;
      });
      if (isReady || emptySince === undefined) emptySince = performance.now();
      failures = isReady ? 0 : failures + 1;
      if (failures === 0 || this.#closing) continue;
      log.error({ failures }, 'a sandbox ended before it was ready; trying again');
      // Once may be anybody's kill.
      if (failures > 1) await delay(RESTART_DELAY_MS);
    }
  }

  /** @returns whether there was a sandbox that was ready, when it has ended. @throws when it could not be started */
  async #occupy(emptySince: number | undefined): Promise<boolean> {
    const { create, onReady, onEnd, log } = this.#options;
    const sandbox = create();
    this.#all.add(sandbox);
    const isReady = await sandbox.ready;
    if (isReady) {
      this.#firstReady.resolve();
      onReady(sandbox);
      if (emptySince !== undefined)
        log.info({ ms: Math.round(performance.now() - emptySince) }, 'sandbox replaced');
    }
    await sandbox.ended;
    this.#all.delete(sandbox);
    onEnd(sandbox);
    return isReady;
  }
}
