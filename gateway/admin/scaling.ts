import { Router } from '@koa/router';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { readAutoscalerState, type AutoscalerState } from '../../shared/autoscaler-state.ts';
import { readSignals, type QueueSignals } from '../../shared/signals.ts';

export interface ScalingSource {
  readonly redis: Redis;
  readonly queue: Queue;
  readonly prefix: string;
  /** Metrics of others that are shown with these, as text. */
  readonly others: readonly (() => Promise<string>)[];
}

interface Seen {
  readonly signals: QueueSignals;
  readonly autoscaler: AutoscalerState | undefined;
}

/**
 * What autoscalers and dashboards read.
 *
 * `GET /metrics`: Prometheus text; queue and runners are looked at when it is asked for, and of a Redis that is
 * away it says just that. `GET /autoscale`: the same as JSON, and `wanted` at the top, where KEDA's metrics-api
 * scaler reads it; it is missing when nobody decides, which makes KEDA and the HPA keep what there is.
 */
export function scalingRoutes(source: ScalingSource): Router {
  const metrics = createMetrics();
  const look = async (): Promise<Seen> => {
    const { redis, prefix } = source;
    const [signals, autoscaler] = await Promise.all([
      readSignals(redis, prefix),
      readAutoscalerState(redis, prefix),
    ]);
    return { signals, autoscaler };
  };
  const router = new Router();
  router.get('/metrics', async (ctx) => {
    const seen = await look().catch(() => undefined);
    metrics.show(seen);
    const queue = seen ? await source.queue.exportPrometheusMetrics().catch(() => '') : '';
    const texts = [
      await metrics.registry.metrics(),
      ...(await Promise.all(source.others.map((text) => text()))),
      queue,
    ];
    ctx.type = metrics.registry.contentType;
    ctx.body = `${texts.map((text) => text.trimEnd()).join('\n')}\n`;
  });
  router.get('/autoscale', async (ctx) => {
    const seen = await look().catch(() => undefined);
    ctx.status = seen ? 200 : 503;
    ctx.body = seen ? asJson(seen) : { error: 'Redis does not answer' };
  });
  return router;
}

function asJson({ signals, autoscaler }: Seen) {
  const wanted = autoscaler?.wanted ?? undefined;
  return {
    ...(wanted === undefined ? {} : { wanted }),
    signals,
    autoscaler: autoscaler ?? { state: 'absent' },
  };
}

const STATES = ['deciding', 'hold', 'failing', 'absent'] as const;

/** What is not known has no value rather than an old one. */
type Figure = (seen: Seen) => number | null | undefined;

const FIGURES: readonly (readonly [name: string, help: string, figure: Figure])[] = [
  ['lc500_queue_waiting', 'Requests that no runner has taken yet', (of) => of.signals.waiting],
  ['lc500_queue_active', 'Requests that a runner has taken', (of) => of.signals.active],
  [
    'lc500_queue_asynchronous',
    'Asynchronous requests that wait or run, in none of the other figures',
    (of) => of.signals.asynchronous,
  ],
  ['lc500_queue_in_hand', 'Requests that wait in a runner for a sandbox', (of) => of.signals.inHand],
  [
    'lc500_queue_oldest_waiting_seconds',
    'Age of the oldest request that no runner has taken',
    (of) => of.signals.oldestWaitMs / 1000,
  ],
  ['lc500_queue_arrivals_total', 'Requests that ever came into the queue', (of) => of.signals.arrived],
  ['lc500_runners', 'Runners that take jobs', (of) => of.signals.runners],
  ['lc500_sandboxes', 'Sandboxes of all runners', (of) => of.signals.sandboxes],
  ['lc500_sandboxes_busy', 'Sandboxes that run a script', (of) => of.signals.busy],
  [
    'lc500_service_time_seconds',
    'Mean time of a request in a sandbox, of late',
    (of) => of.signals.serviceMs && of.signals.serviceMs / 1000,
  ],
  [
    'lc500_arrival_rate',
    'Requests a second, of late, as the autoscaler sees them',
    (of) => of.autoscaler?.arrivalRate,
  ],
  ['lc500_autoscaler_wanted_runners', 'Runners that there should be', (of) => of.autoscaler?.wanted],
  ['lc500_autoscaler_ordered_runners', 'Runners that are ordered', (of) => of.autoscaler?.current],
  [
    'lc500_autoscaler_decision_timestamp_seconds',
    'When the autoscaler decided last',
    (of) => of.autoscaler && of.autoscaler.at / 1000,
  ],
];

function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const up = new Gauge({ name: 'lc500_redis_up', help: 'Whether Redis answers', registers });
  const state = new Gauge({
    name: 'lc500_autoscaler_state',
    help: 'What the autoscaler does: 1 at one of the states',
    labelNames: ['state'],
    registers,
  });
  const gauges = FIGURES.map(([name, help, figure]) => ({
    gauge: new Gauge({ name, help, registers }),
    figure,
  }));
  return {
    registry,
    show(seen: Seen | undefined): void {
      up.set(seen ? 1 : 0);
      for (const { gauge, figure } of gauges) {
        gauge.remove();
        const value = seen && figure(seen);
        if (typeof value === 'number') gauge.set(value);
      }
      state.reset();
      if (!seen) return;
      const current = seen.autoscaler?.state ?? 'absent';
      for (const name of STATES) state.set({ state: name }, name === current ? 1 : 0);
    },
  };
}
