import { CONTRACT_PARAMETERS, CONTRACT_VIEWS, fitsKind, WORDS_OF_KIND } from "./columns.ts";

/** What the database's catalog says of the three objects of the data contract. */
export type ContractStructure = {
  /** Data types by column, by view; a view that does not exist is absent. A table will do as well. */
  readonly views: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Of `apply_decisions`, in their order; undefined: there is no such procedure. */
  readonly parameters: readonly { readonly mode: string; readonly dataType: string }[] | undefined;
};

/** Which of the three do not exist yet. */
export function missingObjects({ views, parameters }: ContractStructure): readonly string[] {
  const missing = Object.keys(CONTRACT_VIEWS).filter((view) => views[view] === undefined);
  return parameters === undefined ? [...missing, "apply_decisions"] : missing;
}

/** What is wrong with those that exist, as sentences that say what to write. Pure. */
export function structureMistakes({ views, parameters }: ContractStructure): readonly string[] {
  const mistakes: string[] = [];
  for (const [view, columns] of Object.entries(CONTRACT_VIEWS)) {
    const present = views[view];
    if (present === undefined) continue;
    for (const column of columns) {
      const { name, kind, neutral } = column;
      const dataType = present[name];
      if (dataType === undefined) {
        const instead =
          neutral === undefined ? "" : `, or ${neutral} AS ${name} where you have nothing of the kind`;
        mistakes.push(`${view} has no column ${name}: add one that is ${WORDS_OF_KIND[kind]}${instead}`);
      } else if (!fitsKind(column, dataType)) {
        mistakes.push(`${view}.${name} is ${dataType}: make it ${WORDS_OF_KIND[kind]}`);
      }
    }
  }
  if (parameters !== undefined && !fitParameters(parameters)) {
    const wanted = CONTRACT_PARAMETERS.map(
      ({ mode, name, types }) => `${mode} ${name} ${types[0].toUpperCase()}`,
    );
    mistakes.push(`apply_decisions has other parameters: declare (${wanted.join(", ")})`);
  }
  return mistakes;
}

function fitParameters(parameters: NonNullable<ContractStructure["parameters"]>): boolean {
  return (
    parameters.length === CONTRACT_PARAMETERS.length &&
    CONTRACT_PARAMETERS.every(({ mode, types }, index) => {
      const given = parameters[index];
      return given?.mode === mode && types.some((type) => type === given.dataType);
    })
  );
}
