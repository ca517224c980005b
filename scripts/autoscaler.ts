import { startProcess } from '../shared/start.ts';
import { startAutoscaler } from './autoscale/autoscaler.ts';

await startProcess('autoscaler', [], (config, log) => startAutoscaler(config, log));
