import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { detectLauncher } from '../../runner/launcher/detect.ts';
import { sandboxLine } from '../../runner/launcher/spawn.ts';
import type { Level } from '../../runner/launcher/walls.ts';

/** Starts a sandbox at the level of its argument and prints what its descriptors lead to, as JSON. */
const detection = await detectLauncher(process.argv[2] as Level, 61_184);
const launch = detection.launcher.sandbox(8);
const sandbox = detection.launcher.start(launch);
const started = await sandbox.started;
if (!started) throw new Error('a sandbox could not be started');
const { pid, pipe } = started;
pipe.write(detection.launcher.greeting);
await once(pipe, 'data');
const directory = `/proc/${sandboxLine(pid, launch).at(-1)}/fd`;
const targets = readdirSync(directory).map((fd) => [Number(fd), readlinkSync(`${directory}/${fd}`)]);
process.stdout.write(JSON.stringify(targets));
sandbox.kill();
await sandbox.ended;
