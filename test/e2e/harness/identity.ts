import type { Installation } from "./installation.ts";
import { workerPods } from "./workers.ts";

/** A worker of an installation as its Pod sees itself: what it can do with the token that is mounted into the Pod. */
export type WorkerIdentity = {
  readonly pod: string;
  /** Flags that let kubectl act with such a token. */
  readonly flags: readonly string[];
};

export async function identityOfWorker(product: Installation): Promise<WorkerIdentity> {
  const [pod = ""] = await workerPods(product);
  const path = "--output=jsonpath={.spec.serviceAccountName} {.metadata.uid}";
  const [account = "", uid = ""] = (await product.kubectl(["get", "pod", pod, path])).split(" ");
  const bound = ["--bound-object-kind=Pod", `--bound-object-name=${pod}`, `--bound-object-uid=${uid}`];
  const token = await product.kubectl(["create", "token", account, ...bound]);
  return { pod, flags: [`--token=${token.trim()}`] };
}
