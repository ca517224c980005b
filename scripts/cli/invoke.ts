import type { Command } from 'commander';
import { readDevState } from '../dev-state.ts';
import { EXIT_CODES, helpTopics } from './help.ts';
import { hostnameOption } from './hostname-option.ts';
import { answerAsJson, answerAsText, timingsAsText } from './invoke-answer.ts';
import { gatewayOption, headerOption, methodOption, pathOption, toRequest } from './invoke-request.ts';
import type { InvokeOptions } from './invoke-request.ts';
import { sendRequest } from './invoke-send.ts';

const DEFAULT_GATEWAY = 'http://127.0.0.1:8080';

/** Adds `lc500 invoke`. */
export function addInvokeCommand(program: Command): void {
  program
    .command('invoke')
    .description(
      "Sends one HTTP request to a tenant's script, by way of the gateway. The answer goes to standard output: " +
        'status line, headers as received, an empty line, the body byte for byte. The times go to standard error.',
    )
    .requiredOption('--hostname <hostname>', 'the tenant, sent as Host', hostnameOption)
    .option('--method <method>', 'the method (default: GET, with --data POST)', methodOption)
    .option('--path <path>', 'path and query, sent as they are', pathOption, '/')
    .option('--header <field>', "a header, 'Name: value'; may be given several times", headerOption)
    .option(
      '--data <data>',
      'the body: text, @file for a file, @- for standard input; no Content-Type is added',
    )
    .option(
      '--gateway <url>',
      `the gateway (default: that of the npm run dev of this folder, or else ${DEFAULT_GATEWAY})`,
      gatewayOption,
    )
    .option('--json', 'print the answer and the times as one JSON object')
    .addHelpText('after', HELP)
    .action(invoke);
}

const HELP = helpTopics({
  examples: [
    'npx lc500 invoke --hostname my.localhost --path "/hello?x=1"',
    "npx lc500 invoke --hostname my.localhost --header 'Content-Type: text/plain' --data @letter.txt",
  ],
  environment: '  none',
  exitCodes: [
    [0, 'answered with a status below 400'],
    [1, 'answered with a status of 400 or more, or not answered; the reason is on standard error'],
    EXIT_CODES[2],
  ],
});

async function invoke(options: InvokeOptions & { gateway?: URL; json?: true }): Promise<void> {
  const gateway = options.gateway ?? (await defaultGateway());
  const answer = await sendRequest(gateway, await toRequest(options));
  if (options.json) {
    process.stdout.write(answerAsJson(answer));
  } else {
    process.stdout.write(answerAsText(answer));
    // On a terminal a body without a last newline would run into the times.
    const between = process.stdout.isTTY && answer.body.at(-1) !== NEWLINE ? '\n' : '';
    process.stderr.write(`${between}${timingsAsText(answer)}`);
  }
  if (answer.status >= 400) process.exitCode = 1;
}

const NEWLINE = 0x0a;

/** The gateway of the dev of this folder, or the one that a dev of another folder probably has. */
export async function defaultGateway(): Promise<URL> {
  return new URL((await readDevState())?.gateway ?? DEFAULT_GATEWAY);
}
