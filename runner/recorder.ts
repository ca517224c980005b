import type { Job } from 'bullmq';
import type { Config } from '../shared/config.ts';
import { errorKind, type LC500Error } from '../shared/errors.ts';
import type { Invocation } from '../shared/invocation.ts';
import type { Logger } from '../shared/log.ts';
import { compare, type Compared, type Comparison } from '../shared/records/comparison.ts';
import { makeRecord, type Finished } from '../shared/records/make-record.ts';
import type { RecordBucket } from '../shared/records/record-bucket.ts';
import type { RecordStore } from '../shared/records/record-store.ts';
import type { InvocationRecord, RecordKind } from '../shared/records/record.ts';
import type { Outcome, RunTimings } from '../shared/reply.ts';
import type { Bodies } from './bodies.ts';
import type { ScriptFailure } from './sandbox/isolate.ts';
import type { RunTrace } from './trace.ts';
import { TAKEN } from './under-way.ts';

export interface RecorderOptions {
  readonly config: Config;
  readonly bodies: Bodies;
  readonly store: RecordStore;
  readonly bucket: RecordBucket;
  readonly log: Logger;
}

/** How an invocation ended. */
export interface End {
  readonly outcome: Outcome;
  /** Only where it failed here and now. */
  readonly error?: LC500Error | undefined;
  readonly timings?: RunTimings;
  /** None: nothing was run. */
  readonly trace?: RunTrace;
}

/**
 * Decides which invocations are kept, and keeps them. What failed through the client's own doing, such as asking a
 * hostname without a script, is not: anybody could fill the records with it.
 */
export class Recorder {
  readonly #options: RecorderOptions;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** @returns why it is to be kept; `undefined`: it is not */
  wants(invocation: Invocation, outcome: Outcome): RecordKind | undefined {
    const { KEEP_COMPLETED: keep, FAILED_RETENTION_COUNT } = this.#options.config;
    if (invocation.replay) return 'replay';
    if (outcome.kind === 'failure')
      return FAILED_RETENTION_COUNT > 0 && errorKind(outcome.code).fault !== 'client' ? 'failed' : undefined;
    const isAsked = keep.kind === 'newest' ? keep.count > 0 : Math.random() < keep.share;
    return isAsked ? 'asked' : undefined;
  }

  /**
   * @returns false when no record could be made, as Redis did not take it, or has lost the body: then the job itself
   * has to stay, if it is there. Never throws
   */
  async keep(kind: RecordKind, job: Job, invocation: Invocation, end: End): Promise<boolean> {
    const { config, bodies, store, bucket, log } = this.#options;
    try {
      // Not fetched yet where nothing was run.
      const whole = await bodies.complete(job, end.trace?.invocation ?? invocation);
      const { record, parts } = await makeRecord(await finished(kind, job, whole, end), config, bucket);
      await store.add(await this.#compared(record, invocation, end.outcome), parts);
      return true;
    } catch (error) {
      // Gone with its body, the job was ended elsewhere, and what there is to keep is kept there.
      if (error !== TAKEN)
        log.error({ err: error, requestId: invocation.id }, 'an invocation could not be recorded');
      return false;
    }
  }

  async #compared(
    record: InvocationRecord,
    { replay }: Invocation,
    outcome: Outcome,
  ): Promise<InvocationRecord> {
    if (!replay) return record;
    const original = await this.#options.store.get(replay.of);
    const comparison = original ? await this.#compare(original, record, outcome) : null;
    return { ...record, replay: { ...replay, comparison } };
  }

  async #compare(
    original: InvocationRecord,
    replay: InvocationRecord,
    outcome: Outcome,
  ): Promise<Comparison> {
    const { answer } = original;
    const body = answer && (await this.#options.store.part(original.id, 'answer', answer.body));
    return compare(
      sideOf(original, answer && body ? { headers: answer.headers, body } : undefined),
      sideOf(replay, outcome.kind === 'response' ? outcome.response : undefined),
    );
  }
}

function sideOf({ code, status, error }: InvocationRecord, answer: Compared['answer']): Compared {
  return { code, status, error: error?.message ?? null, answer };
}

async function finished(kind: RecordKind, job: Job, invocation: Invocation, end: End): Promise<Finished> {
  const { outcome, error, timings, trace } = end;
  const [script, blueprint] = await Promise.all([arrived(trace?.script), arrived(trace?.blueprint)]);
  return {
    invocation,
    kind,
    acceptedAt: job.timestamp,
    attempts: job.attemptsStarted,
    outcome,
    message: error?.message,
    scriptError: error?.code === 'script_error' ? (error.cause as ScriptFailure | undefined) : undefined,
    timings,
    script: script?.source,
    blueprint: invocation.blueprintKey === null ? undefined : blueprint,
    log: trace?.lines,
  };
}

/** What was on its way when the invocation ended has been called off with it, so this does not wait for long. */
async function arrived<T>(value: T | Promise<T>): Promise<T | undefined> {
  try {
    return await value;
  } catch {
    return undefined;
  }
}
