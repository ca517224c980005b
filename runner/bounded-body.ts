/** A body that is larger than it may be. */
export class OverLimit extends Error {
  override readonly name = 'OverLimit';

  constructor(limit: number) {
    super(`more than ${limit} bytes`);
  }
}

/** All of a body in one piece. @throws OverLimit as soon as there is more of it than `limit` bytes; the rest stays unread */
export async function readBounded(body: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new OverLimit(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
