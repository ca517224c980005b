import { isPortFree } from '../../scripts/services/ports.ts';

/** Below the ports that systems give to connections, so that none takes the port of a process that is down. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

let next = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));

/** A port on 127.0.0.1 that is not given out again by this process. */
export async function takePort(): Promise<number> {
  for (;;) {
    next = next >= HIGHEST ? LOWEST : next + 1;
    const port = next;
    if (await isPortFree(port)) return port;
  }
}
