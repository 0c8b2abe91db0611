import { createFakeKube } from "../../support/fake-kube.ts";
import { kubeClientContract } from "../../support/kube-contract.ts";

const { client } = createFakeKube();
let namespaces = 0;

kubeClientContract("the fake API server", {
  client: () => client,
  namespace: () => Promise.resolve(`test-${++namespaces}`),
});
