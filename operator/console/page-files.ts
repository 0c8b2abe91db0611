import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { extname } from "node:path";

/** The page's own files, ready to be served: its modules are TypeScript, and lose their types here instead of in a build. */

export type PageFile = { readonly contentType: string; readonly etag: string; readonly body: Buffer };

const PAGE = new URL("./page/", import.meta.url);
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".ts": "text/javascript; charset=utf-8",
};

/** By the path at which each is served. */
export async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const name of await readdir(PAGE)) {
    const contentType = CONTENT_TYPES[extname(name)];
    if (contentType === undefined) continue;
    const text = await readFile(new URL(name, PAGE), "utf8");
    const body = Buffer.from(name.endsWith(".ts") ? stripTypeScriptTypes(text) : text);
    const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 16)}"`;
    files.set(name === "page.html" ? "/" : `/${name}`, { contentType, etag, body });
  }
  return files;
}
