/** What an autoscaler acts on. Every call ends, with an error at the latest, when `signal` says so. */
export interface Adapter {
  readonly name: string;
  /** How long a start takes, as far as anyone knows, milliseconds. */
  readonly startMs: number;
  /** Runners that are ordered, whether they take jobs yet or not; those that are on their way out do not count. */
  count(signal: AbortSignal): Promise<number>;
  /** Orders that many runners; one that goes finishes what it has. */
  scale(wanted: number, signal: AbortSignal): Promise<void>;
}
