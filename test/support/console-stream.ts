import { applyChanges, NOTHING, type Item, type Picture } from "../../operator/console/page/changes.ts";
import type { StreamMessage } from "../../operator/console/page/picture.ts";

/** One of the console's streams, followed as a browser does. */
export type ConsoleStream = {
  readonly picture: Picture;
  readonly messages: number;
  readonly bytes: number;
  item(kind: string, key: string): Item | undefined;
  close(): Promise<void>;
};

export async function followStream(url: string): Promise<ConsoleStream> {
  const ending = new AbortController();
  const response = await fetch(url, { signal: ending.signal });
  if (!response.ok || response.body === null)
    throw new Error(`${url}: ${response.status} ${await response.text()}`);
  const stream = { picture: NOTHING, messages: 0, bytes: 0 };
  const reading = read(response.body, stream).catch((error: unknown) => {
    if (!ending.signal.aborted) throw error;
  });
  return {
    get picture() {
      return stream.picture;
    },
    get messages() {
      return stream.messages;
    },
    get bytes() {
      return stream.bytes;
    },
    item: (kind, key) => stream.picture.items[kind]?.get(key),
    async close() {
      ending.abort();
      await reading;
    },
  };
}

async function read(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  stream: { picture: Picture; messages: number; bytes: number },
): Promise<void> {
  let text = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    stream.bytes += chunk.length;
    text += chunk;
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      if (data === undefined) continue;
      const { kind, changes } = JSON.parse(data) as StreamMessage;
      stream.picture = applyChanges(kind === "whole" ? NOTHING : stream.picture, changes);
      stream.messages++;
    }
  }
}
