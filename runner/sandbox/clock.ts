/**
 * Makes the clock that scripts read coarse, or lets it stand still: with an exact clock a script can time the
 * processor's caches, which is what Spectre needs. (Cloudflare's Workers see a clock that only moves with I/O; a
 * script here has no I/O, so for it that is one that stands still.)
 *
 * As `installScriptApi` this goes into the V8 snapshot as text, so it must not refer to anything outside itself.
 *
 * @param resolutionMs the clock's steps, milliseconds; 0: it stands at the time when it was first read. A step
 *   of 1 is what `Date` has by itself
 * @returns does the same to `Temporal`, which V8 puts into a context only after its snapshot, and whose own
 *   clock counts nanoseconds
 */
export function installClock(scope: object, resolutionMs: number): (temporal: typeof Temporal) => void {
  const { apply, construct, defineProperty, getOwnPropertyDescriptor } = Reflect;
  const { floor } = Math;
  const NativeDate = Date;
  const nativeNow = Date.now;
  const { toString } = Date.prototype;

  let stopped: number | undefined;
  const now = (): number => {
    if (resolutionMs === 0) return (stopped ??= nativeNow());
    return floor(nativeNow() / resolutionMs) * resolutionMs;
  };

  function define(target: object, key: PropertyKey, value: unknown): void {
    const descriptor = { __proto__: null, value, enumerable: false, writable: true, configurable: true };
    defineProperty(target, key, descriptor as PropertyDescriptor);
  }

  function coarsenDate(): void {
    const CoarseDate = function Date(this: unknown, ...args: unknown[]): unknown {
      const given = args.length === 0 ? [now()] : args;
      if (new.target === undefined) return apply(toString, new NativeDate(now()), []);
      return construct(NativeDate, given, new.target);
    };
    for (const key of ['parse', 'UTC'] as const) define(CoarseDate, key, NativeDate[key]);
    define(CoarseDate, 'now', { now: () => now() }.now);
    defineProperty(CoarseDate, 'length', { value: 7 });
    defineProperty(CoarseDate, 'prototype', { value: NativeDate.prototype, writable: false });
    define(NativeDate.prototype, 'constructor', CoarseDate);
    define(scope, 'Date', CoarseDate);
  }

  /** A format that is given no date takes the time by itself. */
  function coarsenIntl(): void {
    const { prototype } = Intl.DateTimeFormat;
    const { formatToParts } = prototype;
    const format = getOwnPropertyDescriptor(prototype, 'format')?.get as () => Intl.DateTimeFormat['format'];
    const known = new WeakMap<object, unknown>();
    const { get, set } = WeakMap.prototype as WeakMap<object, unknown>;
    const coarse = {
      formatToParts(this: Intl.DateTimeFormat, date?: Date) {
        return apply(formatToParts, this, [date === undefined ? now() : date]);
      },
      get format() {
        const bound = apply(format, this, []);
        const made = apply(get, known, [bound]);
        if (made !== undefined) return made;
        const wrapped = (date?: Date): string => apply(bound, undefined, [date === undefined ? now() : date]);
        apply(set, known, [bound, wrapped]);
        return wrapped;
      },
    };
    define(prototype, 'formatToParts', coarse.formatToParts);
    defineProperty(prototype, 'format', {
      get: getOwnPropertyDescriptor(coarse, 'format')?.get as () => unknown,
    });
  }

  function coarsenTemporal({ Now, Instant }: typeof Temporal): void {
    const { fromEpochMilliseconds } = Instant;
    const { timeZoneId } = Now;
    const { toZonedDateTimeISO } = Instant.prototype;
    const { toPlainDateTime, toPlainDate, toPlainTime } = globalThis.Temporal.ZonedDateTime.prototype;
    const zoned = (zone: unknown) =>
      apply(toZonedDateTimeISO, fromEpochMilliseconds(now()), [zone === undefined ? timeZoneId() : zone]);
    const coarse = {
      instant: () => fromEpochMilliseconds(now()),
      zonedDateTimeISO: (zone?: unknown) => zoned(zone),
      plainDateTimeISO: (zone?: unknown) => apply(toPlainDateTime, zoned(zone), []),
      plainDateISO: (zone?: unknown) => apply(toPlainDate, zoned(zone), []),
      plainTimeISO: (zone?: unknown) => apply(toPlainTime, zoned(zone), []),
    };
    for (const name of [
      'instant',
      'zonedDateTimeISO',
      'plainDateTimeISO',
      'plainDateISO',
      'plainTimeISO',
    ] as const)
      define(Now, name, coarse[name]);
  }

  if (resolutionMs !== 1) {
    coarsenDate();
    coarsenIntl();
  }
  return coarsenTemporal;
}
