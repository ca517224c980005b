import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { detectLauncher } from '../../runner/launcher/detect.ts';
import { sandboxLine, spawnSandbox } from '../../runner/launcher/spawn.ts';
import { encodeFrame } from '../../runner/sandbox/frame.ts';
import type { Level } from '../../runner/launcher/walls.ts';

/** Starts a sandbox at the level of its argument and prints what its descriptors lead to, as JSON. */
const detection = await detectLauncher(process.argv[2] as Level, 61_184);
const launch = detection.launcher.sandbox(8);
const sandbox = spawnSandbox(launch);
const pipe = sandbox.stdio[3] as Duplex;
pipe.write(encodeFrame([detection.launcher.snapshot]));
await once(pipe, 'data');
const directory = `/proc/${sandboxLine(sandbox, launch).at(-1)}/fd`;
const targets = readdirSync(directory).map((fd) => [Number(fd), readlinkSync(`${directory}/${fd}`)]);
process.stdout.write(JSON.stringify(targets));
sandbox.kill('SIGKILL');
