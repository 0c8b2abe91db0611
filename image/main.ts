/**
 * The entry of the image: one image, and the first argument says which of its processes runs. Each reads its own
 * environment and says what it lacks.
 */

const USAGE = `usage: <image> <command>

  operator                     decide which worker holds which City
  worker                       dispatch the cities that this worker holds
  migrate                      bring the database to the schema of this version; safe to repeat
  audit                        check every invariant on what the database holds
  take-authority <uid>         from now on tokens come from the cluster with this UID
  city <command>               what kubectl city does, from inside a Pod: city --help
  traffic                      play made-up orders and couriers, for a demonstration
`;

const [command = "help"] = process.argv.slice(2);
switch (command) {
  case "operator":
    await import("../operator/main.ts");
    break;
  case "worker":
    await import("../worker/main.ts");
    break;
  case "migrate":
  case "audit":
  case "take-authority":
    // It reads the same arguments.
    await import("../db/main.ts");
    break;
  case "city":
    process.argv.splice(2, 1);
    await import("../plugin/main.ts");
    break;
  case "traffic":
    await import("../local/traffic/main.ts");
    break;
  case "help":
    process.stdout.write(USAGE);
    break;
  default:
    process.stderr.write(`${command} is none of the commands\n\n${USAGE}`);
    process.exitCode = 2;
}
