/**
 * To be imported before all else. A sandbox ends when its runner wants it to (SIGKILL), or when that has gone. These
 * are sent to all processes at a time, its own among them, by a terminal (Ctrl-C), by Heroku when a dyno is to end,
 * and by systemd (`KillMode=control-group`): the runner then finishes what it has, for which it needs its sandboxes.
 *
 * Node sets what a process does at signals back when it starts, so one that has just been started, and has no job,
 * does end of them.
 */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
