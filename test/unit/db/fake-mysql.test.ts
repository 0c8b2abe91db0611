import { createFakeMysql } from "../../support/fake-mysql.ts";
import { fenceContract } from "../../support/fence-contract.ts";

fenceContract("the fake MySQL", () => {
  const { database } = createFakeMysql({ wallMs: () => Date.now() });
  return Promise.resolve({ worker: database, operator: database, admin: database });
});
