import { runtime } from "@pulumi/pulumi";

/** What a program asks Pulumi to make, without Pulumi: every resource with the inputs that the provider would get. */

export type Asked = {
  /** Such as "kubernetes:core/v1:Namespace". */
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** What comes before it and goes after it, each as "type name". */
  readonly dependsOn: readonly string[];
};

/** By these two Pulumi marks a value as secret on its way to the engine. */
const SECRET_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_MARK = "1b47061264138c4ac30d75fd1eb44270";

const asked: Asked[] = [];
const dependencies = new Map<string, readonly string[]>();

type Request = {
  getType(): string;
  getName(): string;
  /** URNs. */
  getDependenciesList(): string[];
};

/** Once per test file, before the modules under test are imported. `config`: what `pulumi config` would hold. */
export async function installMocks(config: Readonly<Record<string, string>>): Promise<void> {
  runtime.setAllConfig(
    Object.fromEntries(Object.entries(config).map(([key, value]) => [`project:${key}`, value])),
  );
  await runtime.setMocks({
    newResource({ type, name, inputs }) {
      asked.push({ type, name, inputs, dependsOn: dependencies.get(`${type} ${name}`) ?? [] });
      const isRelease = type === "kubernetes:helm.sh/v3:Release";
      const state = isRelease ? { ...inputs, status: { status: "deployed", version: "0.1.0" } } : inputs;
      return { id: `${name}-id`, state };
    },
    call: () => ({}),
  });
  listenToDependencies();
}

/** Mocks are not told of dependencies: only the request to the engine, which they stand for, has them. */
function listenToDependencies(): void {
  const monitor = runtime.getMonitor();
  if (monitor === undefined) throw new Error("there is no monitor after the mocks were set");
  const register = monitor.registerResource.bind(monitor) as (
    request: Request,
    ...rest: unknown[]
  ) => unknown;
  const listening = (request: Request, ...rest: unknown[]): unknown => {
    const urns = request.getDependenciesList();
    dependencies.set(
      `${request.getType()} ${request.getName()}`,
      urns.map((urn) => urn.split("::").slice(-2).join(" ")),
    );
    return register(request, ...rest);
  };
  Object.assign(monitor, { registerResource: listening });
}

/** Runs a program to its end and returns what it asked for. */
export async function askedBy(program: () => unknown): Promise<readonly Asked[]> {
  asked.length = 0;
  await program();
  await runtime.disconnect();
  return [...asked];
}

/** The one resource of this type. */
export function only(resources: readonly Asked[], type: string): Asked {
  const [found, ...others] = resources.filter((resource) => resource.type === type);
  if (found === undefined || others.length > 0) {
    throw new Error(`not one ${type} among ${resources.map((resource) => resource.type).join(", ")}`);
  }
  return found;
}

/** What is inside a secret. Throws for what everybody could read in Pulumi's state. */
export function revealed(value: unknown): unknown {
  const wrapped = value as Readonly<Record<string, unknown>> | undefined;
  if (wrapped?.[SECRET_KEY] !== SECRET_MARK) throw new Error("this is no secret");
  return wrapped["value"];
}
