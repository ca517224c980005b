import { Agent } from 'undici';
import type { Config } from '../../shared/config.ts';
import { publicLookup, requirePublicLiteral } from './public-address.ts';

/** Somebody must change something before it makes sense to try again. */
export class Undeliverable extends Error {
  override readonly name = 'Undeliverable';
}

/** Of what the receiver answers nothing is used, so little of it is read. */
const READ_BYTES = 65_536;

/** Sends callbacks, and connects to nobody whom a tenant must not reach from inside. */
export class CallbackSender {
  readonly #timeoutMs: number;
  readonly #isAnywhere: boolean;
  readonly #agent: Agent;

  constructor({ CALLBACK_TIMEOUT_MS, CALLBACK_TARGETS }: Config) {
    this.#timeoutMs = CALLBACK_TIMEOUT_MS;
    this.#isAnywhere = CALLBACK_TARGETS === 'any';
    const lookup = this.#isAnywhere ? {} : { lookup: publicLookup() };
    this.#agent = new Agent({ connect: { ...lookup, timeout: CALLBACK_TIMEOUT_MS } });
  }

  /**
   * Redirects are not followed: they are failures, as every status but 2xx.
   *
   * @throws Undeliverable, PrivateAddress, or Error when this try failed
   */
  async send(target: string, headers: Record<string, string>, body: string): Promise<void> {
    const url = new URL(target);
    if (!this.#isAnywhere) {
      if (url.protocol !== 'https:') throw new Undeliverable('the callback URL is not https');
      requirePublicLiteral(url);
    }
    const answer = await this.#agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'lc500' },
      body,
      signal: AbortSignal.timeout(this.#timeoutMs),
    });
    await answer.body.dump({ limit: READ_BYTES });
    const { statusCode: status } = answer;
    if (status === 410) throw new Undeliverable('the receiver answered 410: it wants no more');
    if (status < 200 || status > 299) throw new Error(`the receiver answered ${status}`);
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}
