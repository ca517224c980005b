import { startProcess } from '../shared/start.ts';
import { startRunner } from './runner.ts';

await startProcess('runner', ['AWS_BUCKET'], startRunner);
