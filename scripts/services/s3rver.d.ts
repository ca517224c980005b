// The package has no types of its own: what is used of it.

declare module '@20minutes/s3rver' {
  export default class S3rver {
    constructor(options: {
      address: string;
      port: number;
      directory: string;
      silent: boolean;
      allowMismatchedSignatures: boolean;
    });
    store: object;
    readonly context: { store: object };
    readonly httpServer: import('node:http').Server;
    run(): Promise<import('node:net').AddressInfo>;
    close(): Promise<void>;
  }
}

declare module '@20minutes/s3rver/lib/models/object.js' {
  export default class S3Object {
    readonly bucket: string;
    constructor(
      bucket: string,
      key: string,
      content: import('node:stream').Readable,
      metadata: Record<string, unknown>,
    );
  }
}

declare module '@20minutes/s3rver/lib/stores/filesystem.js' {
  import type S3Object from '@20minutes/s3rver/lib/models/object.js';

  export default class FilesystemStore {
    constructor(rootDirectory: string);
    getResourcePath(bucket: string, key: string, resource: string): string;
    getMetadata(bucket: string, key: string): Promise<Record<string, unknown>>;
    getObject(
      bucket: string,
      key: string,
      range?: { start?: number; end?: number },
    ): Promise<S3Object | null>;
    putMetadata(bucket: string, key: string, metadata: object, md5?: string): Promise<void>;
    putContent(path: string, content: unknown): Promise<[size: number, md5: string]>;
  }
}
