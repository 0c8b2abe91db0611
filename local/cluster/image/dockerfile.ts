/**
 * Reads as much of a Dockerfile's language as our Dockerfile uses, and refuses the rest: a builder that skips what it does
 * not understand would build another image than everybody else's.
 */

export type Dockerfile = { readonly stages: readonly Stage[] };

export type Stage = {
  /** The reference of an image, with arguments filled in. */
  readonly base: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
};

export type Instruction =
  /** `from`: a stage before; undefined: the build context. Paths of the context are relative, those of a stage absolute. */
  | {
      readonly kind: "copy";
      readonly from: string | undefined;
      readonly sources: readonly string[];
      readonly target: string;
    }
  | { readonly kind: "run"; readonly command: string }
  | { readonly kind: "workdir"; readonly path: string }
  | { readonly kind: "env"; readonly name: string; readonly value: string }
  | { readonly kind: "user"; readonly user: string }
  | { readonly kind: "entrypoint" | "cmd"; readonly words: readonly string[] };

/** `buildArguments` override the defaults of ARGs. Throws a SyntaxError that names the line it does not understand. */
export function parseDockerfile(
  text: string,
  buildArguments: Readonly<Record<string, string>> = {},
): Dockerfile {
  const defaults: Record<string, string> = {};
  const stages: { base: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const [, word = "", rest = ""] = /^([A-Z]+)\s+(.*\S)\s*$/.exec(line) ?? [];
    const refuse = (): never => {
      throw new SyntaxError(`line ${index + 1} of the Dockerfile is not understood here: ${line}`);
    };
    if (rest.endsWith("\\")) refuse();
    const stage = stages.at(-1);
    if (word === "ARG") {
      const [, name = "", value = ""] = /^(\w+)=(\S+)$/.exec(rest) ?? refuse();
      // An ARG within a stage would be that stage's alone.
      if (stage !== undefined) refuse();
      defaults[name] = buildArguments[name] ?? value;
    } else if (word === "FROM") {
      const [, reference = "", , name] = /^(\S+)(\s+AS\s+(\w+))?$/.exec(rest) ?? refuse();
      const base = reference.replaceAll(
        /\$\{(\w+)\}/g,
        (_, argument: string) => defaults[argument] ?? refuse(),
      );
      stages.push({ base, name, instructions: [] });
    } else {
      const instruction = parseInstruction(word, rest);
      if (stage === undefined || instruction === undefined) return refuse();
      stage.instructions.push(instruction);
    }
  }
  return { stages };
}

function parseInstruction(word: string, rest: string): Instruction | undefined {
  switch (word) {
    case "COPY": {
      const [, from, paths = ""] = /^(?:--from=(\w+)\s+)?([^-].*)$/.exec(rest) ?? [];
      const words = paths.split(/\s+/);
      const target = words.at(-1);
      if (target === undefined || words.length < 2) return undefined;
      return { kind: "copy", from, sources: words.slice(0, -1), target };
    }
    case "RUN":
      return { kind: "run", command: rest };
    case "WORKDIR":
      return { kind: "workdir", path: rest };
    case "ENV": {
      const [, name, value] = /^(\w+)=(\S+)$/.exec(rest) ?? [];
      return name === undefined || value === undefined ? undefined : { kind: "env", name, value };
    }
    case "USER":
      return { kind: "user", user: rest };
    case "ENTRYPOINT":
    case "CMD":
      return wordList(word === "CMD" ? "cmd" : "entrypoint", rest);
    default:
      return undefined;
  }
}

/** In its JSON form only: the other one needs a shell. */
function wordList(kind: "entrypoint" | "cmd", text: string): Instruction | undefined {
  try {
    const words: unknown = JSON.parse(text);
    const isList = Array.isArray(words) && words.every((word) => typeof word === "string");
    return isList ? { kind, words } : undefined;
  } catch {
    return undefined;
  }
}
