import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

interface Pipeline {
  /** Requests whose answers are not out yet. */
  inFlight: number;
  last: ServerResponse | undefined;
  /** Nothing more is taken from this connection; what is in flight is still answered. */
  isFull: boolean;
  /** What came though it was full. */
  excess: number;
}

/**
 * How many requests of one connection are in flight. Node takes all that a client sends ahead, and answers in order.
 *
 * The request that is one too many is not taken: the last one before it is answered with `Connection: close`, which
 * tells the client that the others were not looked at (RFC 9112 section 9.6). Who goes on sending is cut off.
 */
export class Pipelines {
  readonly #limit: number;
  readonly #connections = new WeakMap<Duplex, Pipeline>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns whether the request is to be handled; else it must be left alone */
  admit({ socket }: IncomingMessage, res: ServerResponse): boolean {
    const pipeline = this.#of(socket);
    if (pipeline.inFlight >= this.#limit) pipeline.isFull = true;
    if (pipeline.isFull) {
      if (++pipeline.excess > this.#limit) socket.destroy();
      return false;
    }
    pipeline.inFlight++;
    pipeline.last = res;
    res.once('close', () => {
      pipeline.inFlight--;
      if (pipeline.isFull && pipeline.inFlight === 0) socket.destroySoon();
    });
    return true;
  }

  /**
   * Whether an answer is the last one on its connection, and has to say so. With an earlier one Node would close the
   * connection before those that follow.
   *
   * @param isClosing whether all connections are to be closed
   */
  endsWith(res: ServerResponse, isClosing: boolean): boolean {
    const pipeline = this.#connections.get(res.req.socket);
    return pipeline?.last === res && (isClosing || pipeline.isFull);
  }

  /**
   * Takes nothing more from a connection.
   *
   * @returns whether something may be said on it at once: no answer to an earlier request is still to come, which
   *   the client would take it for
   */
  close(socket: Duplex): boolean {
    const pipeline = this.#of(socket);
    pipeline.isFull = true;
    const { inFlight, last } = pipeline;
    return inFlight === 0 || (inFlight === 1 && last?.req.complete === false && !last.headersSent);
  }

  #of(socket: Duplex): Pipeline {
    let pipeline = this.#connections.get(socket);
    if (!pipeline) {
      pipeline = { inFlight: 0, last: undefined, isFull: false, excess: 0 };
      this.#connections.set(socket, pipeline);
    }
    return pipeline;
  }
}
