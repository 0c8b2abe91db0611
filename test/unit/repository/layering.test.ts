import { expect, test } from "@jest/globals";
import { importsOf, sources } from "./sources.ts";

/** Who may import whom. The table stands in ARCHITECTURE.md as well; this is what enforces it. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  crds: [],
  runtime: [],
  db: ["crds", "runtime"],
  operator: ["crds", "runtime", "db"],
  worker: ["crds", "runtime", "db"],
  // A workspace of its own, which others get without the rest.
  helm: [],
  local: ["crds", "runtime", "db", "operator", "worker"],
  // What the operator would do, it asks of the operator's own decisions.
  plugin: ["crds", "runtime", "db", "operator", "worker"],
  image: ["db", "operator", "worker", "plugin", "local"],
  test: ["crds", "runtime", "db", "operator", "worker", "plugin", "local", "image"],
};

const folderOf = (path: string): string => path.split("/")[0] ?? "";
const typescript = sources(/\.ts$/);

test("every folder of sources has its line in the import table", () => {
  const folders = new Set(typescript.map(({ path }) => folderOf(path)));
  expect([...folders].toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted());
});

test("no folder imports one that it may not", () => {
  const offences = typescript.flatMap((source) => {
    const folder = folderOf(source.path);
    const allowed = new Set([folder, ...(MAY_IMPORT[folder] ?? [])]);
    return importsOf(source)
      .filter((target) => !allowed.has(folderOf(target)))
      .map((target) => `${source.path} imports ${target}`);
  });
  expect(offences).toEqual([]);
});

test("the dispatcher imports nothing but its own files", () => {
  const offences = typescript
    .filter(({ path }) => path.startsWith("worker/dispatch/"))
    .flatMap((source) => {
      const packages = [...source.text.matchAll(/from\s+"([^."][^"]*)"/g)].map((match) => match[1] ?? "");
      const files = importsOf(source).filter((target) => !target.startsWith("worker/dispatch/"));
      return [...packages, ...files].map((target) => `${source.path} imports ${target}`);
    });
  expect(offences).toEqual([]);
});

test("the plugin imports of operator and worker only what decides and does no I/O, and their mains to run them", () => {
  const isDecision = /^operator\/(cities|workers)\/|^worker\/(story|records)\/main\.ts$/;
  const offences = typescript
    .filter(({ path }) => path.startsWith("plugin/"))
    .flatMap((source) => importsOf(source).map((target) => ({ source, target })))
    .filter(({ target }) => /^(operator|worker)\//.test(target))
    .filter(({ target }) => !isDecision.test(target) || hasEffects(target))
    .map(({ source, target }) => `${source.path} imports ${target}`);
  expect(offences).toEqual([]);
});

/** Files of the operator that act, watch or write. */
function hasEffects(path: string): boolean {
  return /^operator\/(cities\/(act|status-writer)|workers\/workers)\.ts$/.test(path);
}

test("only mains, tools and tests read the process's environment", () => {
  const offences = typescript
    .filter(({ path }) => !/^(local|test)\//.test(path) && !/(^|\/)main\.ts$/.test(path))
    .filter(({ text }) => /\bprocess\.(env|argv|exit|on)\b/.test(text))
    .map(({ path }) => path);
  expect(offences).toEqual([]);
});

test("one file knows OpenTelemetry, and it is loaded only where tracing is on", () => {
  const product = typescript.filter(({ path }) => !path.startsWith("test/"));
  const knowing = product.filter(({ text }) => /from "@opentelemetry\//.test(text)).map(({ path }) => path);
  const loading = product
    .filter((source) => importsOf(source).includes("runtime/tracing/open-telemetry.ts"))
    .map(({ path, text }) => [path, /await import\("\.\/open-telemetry\.ts"\)/.test(text)]);
  expect(knowing).toEqual(["runtime/tracing/open-telemetry.ts"]);
  expect(loading).toEqual([["runtime/tracing/open.ts", true]]);
});
