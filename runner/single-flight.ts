import { orAborted } from './or-aborted.ts';

/** @param isWanted whether anybody waits for it at this moment */
type Task<T> = (isWanted: () => boolean) => Promise<T>;

interface Flight<T> {
  readonly result: Promise<T>;
  waiting: number;
}

/**
 * One task at a time per key, however many wait for it. A waiter that leaves takes nobody along; a task that
 * nobody waits for any more can know it.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /** Starts the task unless one is under way for this key, and waits for none. */
  start(key: string, task: Task<T>): void {
    this.#flight(key, task);
  }

  /**
   * Waits for the task under way for this key, or for the one that it starts.
   *
   * @param signal this waiter's own end
   * @throws what the task throws, or this waiter's signal's reason
   */
  async join(key: string, task: Task<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const flight = this.#flight(key, task);
    flight.waiting++;
    try {
      return await orAborted(flight.result, signal);
    } finally {
      flight.waiting--;
    }
  }

  #flight(key: string, task: Task<T>): Flight<T> {
    const underWay = this.#flights.get(key);
    if (underWay) return underWay;
    // The task asks whether it is wanted only once it has waited for something.
    const flight: Flight<T> = { result: task(() => flight.waiting > 0), waiting: 0 };
    this.#flights.set(key, flight);
    const end = (): void => void this.#flights.delete(key);
    flight.result.then(end, end);
    return flight;
  }
}
