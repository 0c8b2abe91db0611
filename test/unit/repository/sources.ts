import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** The repository's own files, for tests that check the text of the project. */

export type Source = { readonly path: string; readonly text: string };

/** Every file that git tracks or would track, except lock files. */
export function sources(pattern: RegExp): Source[] {
  return execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" })
    .split("\n")
    .filter((path) => pattern.test(path) && path !== "package-lock.json")
    .flatMap((path) => {
      try {
        return [{ path, text: readFileSync(path, "utf8") }];
      } catch {
        // Deleted in the work tree, but still in the index.
        return [];
      }
    });
}

/** Paths, relative to the repository, of the project's files that a TypeScript source imports, types included. */
export function importsOf({ path, text }: Source): string[] {
  const directory = path.split("/").slice(0, -1);
  const specifiers = [
    ...text.matchAll(/^\s*(?:import|export)\s[^;]*?from\s+"(\.[^"]+)"/gm),
    ...text.matchAll(/(?:import\(|new URL\()\s*"(\.[^"]+\.ts)"/g),
    ...text.matchAll(/^import\s+"(\.[^"]+)"/gm),
  ].map((match) => match[1] ?? "");
  return specifiers.map((specifier) => {
    const parts = [...directory];
    for (const part of specifier.split("/")) {
      if (part === "..") parts.pop();
      else if (part !== ".") parts.push(part);
    }
    return parts.join("/");
  });
}
