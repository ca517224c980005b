import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type {
  AppControllerRoute,
  AppViewRoute,
  BullBoardQueues,
  BullBoardRequest,
  ControllerHandlerReturnType,
  IServerAdapter,
  UIConfig,
} from '@bull-board/api/typings/app';
import { Router } from '@koa/router';
import type { Queue } from 'bullmq';
import type { Context, Middleware } from 'koa';
import { boardFiles, renderPage } from './board-files.ts';

/** Where the queue's own view is. */
const BOARD_PATH = '/queues';

/**
 * It shows what strangers sent: nothing but its own files runs in it, nothing is fetched from elsewhere, not even
 * the fonts that it asks for, and nobody puts it in a frame.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * bull-board, to look at queues and at what waits in them, without its writing routes: a browser sends the password
 * that it remembers along with whatever another page makes it ask for.
 */
export function queueBoard(queues: readonly Queue[]): Middleware {
  const adapter = new BoardAdapter();
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter: adapter,
    options: {
      uiBasePath: dirname(fileURLToPath(import.meta.resolve('@bull-board/ui/package.json'))),
      uiConfig: { boardTitle: 'lc500', hideDocsLink: true },
    },
  });
  const [files, routes] = [adapter.files(), adapter.router.routes()];
  return async (ctx, next) => {
    if (isBoardPath(ctx.path)) ctx.set('Content-Security-Policy', POLICY);
    return files(ctx, () => routes(ctx as never, next));
  };
}

export function isBoardPath(path: string): boolean {
  return path === BOARD_PATH || path.startsWith(`${BOARD_PATH}/`);
}

/** What bull-board gives a web framework to serve, as routes of Koa. */
class BoardAdapter implements IServerAdapter {
  readonly router = new Router({ prefix: BOARD_PATH });
  #queues: BullBoardQueues = new Map();
  #config: UIConfig = {};
  #views = '';
  #files: Middleware | undefined;
  #onError: ((error: Error) => ControllerHandlerReturnType) | undefined;

  files(): Middleware {
    if (!this.#files) throw new Error('bull-board has no files');
    return this.#files;
  }

  setQueues(queues: BullBoardQueues): this {
    this.#queues = queues;
    return this;
  }

  setViewsPath(directory: string): this {
    this.#views = directory;
    return this;
  }

  setStaticPath(route: string, directory: string): this {
    this.#files = boardFiles(`${BOARD_PATH}${route}`, directory);
    return this;
  }

  setUIConfig(config: UIConfig): this {
    this.#config = config;
    return this;
  }

  setErrorHandler(handler: (error: Error) => ControllerHandlerReturnType): this {
    this.#onError = handler;
    return this;
  }

  setEntryRoute(view: AppViewRoute): this {
    const { name, params } = view.handler({ basePath: `${BOARD_PATH}/`, uiConfig: this.#config });
    const page = renderPage(join(this.#views, name), params);
    this.router.get(view.route, (ctx) => {
      ctx.type = 'html';
      ctx.body = page;
    });
    return this;
  }

  setApiRoutes(routes: AppControllerRoute[]): this {
    for (const route of routes)
      if ([route.method].flat().every((name) => name === 'get'))
        this.router.get(route.route, (ctx) => this.#answer(ctx, ctx.params, route));
    return this;
  }

  async #answer(
    ctx: Context,
    params: Record<string, string | undefined>,
    route: AppControllerRoute,
  ): Promise<void> {
    const asked = {
      queues: this.#queues,
      uiConfig: this.#config,
      query: ctx.query,
      params,
      body: {},
      headers: {},
    };
    const answer = await this.#outcome(route, asked);
    ctx.status = answer.status ?? 200;
    ctx.body = answer.body;
  }

  async #outcome(route: AppControllerRoute, asked: BullBoardRequest): Promise<ControllerHandlerReturnType> {
    try {
      return await route.handler(asked);
    } catch (error) {
      if (!this.#onError || !(error instanceof Error)) throw error;
      return this.#onError(error);
    }
  }
}
