import { join } from "node:path";
import * as kubernetes from "@pulumi/kubernetes";
import {
  ComponentResource,
  output,
  secret,
  type ComponentResourceOptions,
  type Input,
  type Output,
} from "@pulumi/pulumi";

/** Values of the chart, as `helm/city-operator/values.yaml` explains them; its schema refuses what it does not know. */
export type ChartValues = Readonly<Record<string, unknown>>;

/** One URL per account, such as mysql://dispatch_worker:password@mysql:3306/dispatch. */
export type DatabaseUrls = {
  readonly operator: Input<string>;
  readonly worker: Input<string>;
  /** For the migration alone. */
  readonly admin: Input<string>;
  /** Of the company's own services; for made-up traffic alone. */
  readonly feed?: Input<string>;
};

export type CityOperatorArgs = {
  /** Default: "dispatch". */
  readonly namespace?: Input<string>;
  /** Whether the namespace is made here, with Pod Security "restricted" enforced in it. Default: true. */
  readonly createsNamespace?: boolean;
  readonly image: {
    readonly repository: Input<string>;
    readonly tag?: Input<string>;
    /** Decides in the place of the tag. */
    readonly digest?: Input<string>;
  };
  readonly database:
    | { readonly urls: DatabaseUrls }
    /** A Secret that somebody else keeps, with the keys that the chart's values name. */
    | { readonly secretName: Input<string> };
  /** What else the chart can do, such as pools of workers. */
  readonly values?: Input<ChartValues>;
  /** Default: the chart beside this folder. */
  readonly chart?: string;
  /** How long the migration and the roll-out may take, in seconds. Default: 600. */
  readonly timeoutSeconds?: number;
};

const CHART = join(import.meta.dirname, "..", "city-operator");
const RELEASE = "city-operator";
const DATABASE_SECRET = "city-operator-database";
const TIMEOUT_SECONDS = 600;
const POD_SECURITY = Object.fromEntries(
  ["enforce", "audit", "warn"].map((level) => [`pod-security.kubernetes.io/${level}`, "restricted"]),
);

/**
 * The City operator in a namespace of its own. The chart is installed as a Helm release, not as its single objects: only
 * so does the migration run before anything of a new version starts.
 */
export class CityOperator extends ComponentResource {
  readonly namespace: Output<string>;
  readonly databaseSecretName: Output<string>;
  /** The release's state, such as "deployed". */
  readonly status: Output<string>;
  readonly chartVersion: Output<string>;

  constructor(name: string, args: CityOperatorArgs, options: ComponentResourceOptions = {}) {
    super("city-operator:index:CityOperator", name, {}, options);
    const parent = { parent: this };
    this.namespace = this.#namespaceOf(name, args);
    this.databaseSecretName = this.#secretOf(name, args);
    const { image, timeoutSeconds = TIMEOUT_SECONDS } = args;
    const release = new kubernetes.helm.v3.Release(
      name,
      {
        name: RELEASE,
        chart: args.chart ?? CHART,
        namespace: this.namespace,
        timeout: timeoutSeconds,
        waitForJobs: true,
        values: output(args.values ?? {}).apply((values) => ({
          ...values,
          image: { ...partOf(values, "image"), ...image },
          database: { ...partOf(values, "database"), secretName: this.databaseSecretName },
        })),
      },
      parent,
    );
    this.status = release.status.status;
    this.chartVersion = release.status.version;
    this.registerOutputs({
      namespace: this.namespace,
      databaseSecretName: this.databaseSecretName,
      status: this.status,
      chartVersion: this.chartVersion,
    });
  }

  #namespaceOf(name: string, { namespace = "dispatch", createsNamespace = true }: CityOperatorArgs) {
    if (!createsNamespace) return output(namespace);
    const made = new kubernetes.core.v1.Namespace(
      name,
      { metadata: { name: namespace, labels: POD_SECURITY } },
      { parent: this },
    );
    return made.metadata.name;
  }

  #secretOf(name: string, { database }: CityOperatorArgs): Output<string> {
    if ("secretName" in database) return output(database.secretName);
    const { urls } = database;
    const made = new kubernetes.core.v1.Secret(
      name,
      {
        metadata: { name: DATABASE_SECRET, namespace: this.namespace },
        stringData: {
          "operator-url": secret(urls.operator),
          "worker-url": secret(urls.worker),
          "admin-url": secret(urls.admin),
          ...(urls.feed === undefined ? {} : { "feed-url": secret(urls.feed) }),
        },
      },
      { parent: this },
    );
    return made.metadata.name;
  }
}

function partOf(values: ChartValues, key: string): object {
  const part = values[key];
  return typeof part === "object" && part !== null ? part : {};
}
