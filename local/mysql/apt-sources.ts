import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * The machine's own Debian archive, as its apt is told to reach it, with the suite exchanged: so that packages come from
 * where the machine's owner wants them to come from.
 */

export type AptSource = { readonly fileName: string; readonly text: string };

/** The first entry for the main Debian archive (not its security archive, not a third party) under `aptDirectory`. */
export async function debianSource(
  suite: string,
  aptDirectory: string = "/etc/apt",
): Promise<AptSource | undefined> {
  for (const file of await sourceFiles(aptDirectory)) {
    const text = await readFile(file, "utf8").catch(() => "");
    const source = file.endsWith(".sources") ? fromDeb822(text, suite) : fromLines(text, suite);
    if (source !== undefined) return source;
  }
  return undefined;
}

async function sourceFiles(aptDirectory: string): Promise<string[]> {
  const parts = join(aptDirectory, "sources.list.d");
  const names = (await readdir(parts).catch((): string[] => [])).sort((left, right) =>
    left.localeCompare(right),
  );
  const usable = names.filter((name) => name.endsWith(".sources") || name.endsWith(".list"));
  return [join(aptDirectory, "sources.list"), ...usable.map((name) => join(parts, name))];
}

/** Stanzas of `Field: value` lines, continued by lines that begin with white space. */
export function fromDeb822(text: string, suite: string): AptSource | undefined {
  for (const stanza of text.split(/\n\s*\n/)) {
    const fields = fieldsOf(stanza);
    const isEnabled = !/^(no|false|off|0)$/i.test(fields.get("enabled") ?? "yes");
    const types = (fields.get("types") ?? "").split(/\s+/);
    const components = (fields.get("components") ?? "").split(/\s+/);
    const uri = (fields.get("uris") ?? "").split(/\s+/).find(isMainArchive);
    if (!isEnabled || !types.includes("deb") || !components.includes("main") || uri === undefined) continue;
    const lines = ["Types: deb", `URIs: ${uri}`, `Suites: ${suite}`, "Components: main"];
    const signedBy = fields.get("signed-by");
    if (signedBy !== undefined) lines.push(`Signed-By: ${signedBy}`);
    return { fileName: "debian.sources", text: `${lines.join("\n")}\n` };
  }
  return undefined;
}

/** `deb [options] uri suite component…`, one a line. */
export function fromLines(text: string, suite: string): AptSource | undefined {
  for (const line of text.split("\n")) {
    const match = /^\s*deb\s+(?:(?<options>\[[^\]]*\])\s+)?(?<uri>\S+)\s+(?<suite>\S+)\s+(?<rest>.*)$/.exec(
      line,
    );
    const { options = "", uri = "", rest = "" } = match?.groups ?? {};
    if (!isMainArchive(uri) || !rest.split(/\s+/).includes("main")) continue;
    const entry = ["deb", options, uri, suite, "main"].filter((part) => part !== "").join(" ");
    return { fileName: "debian.list", text: `${entry}\n` };
  }
  return undefined;
}

function fieldsOf(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of stanza.split("\n")) {
    if (line.startsWith("#")) continue;
    const match = /^(?<name>[A-Za-z-]+):(?<value>.*)$/.exec(line);
    if (match?.groups !== undefined) {
      current = (match.groups["name"] ?? "").toLowerCase();
      fields.set(current, (match.groups["value"] ?? "").trim());
    } else if (current !== undefined && /^\s/.test(line)) {
      fields.set(current, `${fields.get(current) ?? ""}\n${line}`);
    }
  }
  return fields;
}

function isMainArchive(uri: string): boolean {
  return /\/debian(?:\/|$|\.list$)/.test(uri);
}
