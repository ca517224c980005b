import { startProcess } from '../shared/start.ts';
import { startGateway } from './gateway.ts';

await startProcess('gateway', [], startGateway);
