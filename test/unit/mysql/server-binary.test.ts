import { describe, expect, test } from "@jest/globals";
import { fromDeb822, fromLines } from "../../../local/mysql/apt-sources.ts";
import { parseServerVersion } from "../../../local/mysql/server-binary.ts";

describe("a server on this machine", () => {
  test("is used from MySQL 8.4 on", () => {
    expect(
      parseServerVersion("/usr/sbin/mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)"),
    ).toBe("8.4.3");
    expect(parseServerVersion("mysqld  Ver 9.7.4-2 for debian-linux-gnu on x86_64 ((Debian))")).toBe("9.7.4");
    expect(parseServerVersion("/usr/sbin/mysqld  Ver 8.0.39 for Linux on x86_64")).toBeUndefined();
  });

  test("is not used when it is MariaDB, which calls itself mysqld too", () => {
    expect(
      parseServerVersion("mysqld  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64"),
    ).toBeUndefined();
    expect(parseServerVersion("")).toBeUndefined();
  });
});

describe("the machine's own Debian source", () => {
  test("is found among stanzas, with the suite exchanged and its key kept", () => {
    const text = `Types: deb
URIs: http://archive.example/debian-security
Suites: bookworm-security
Components: main

# a mirror
Types: deb deb-src
URIs: http://archive.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;
    expect(fromDeb822(text, "sid")).toEqual({
      fileName: "debian.sources",
      text: `Types: deb
URIs: http://archive.example/debian
Suites: sid
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
    });
  });

  test("keeps a key that is written into the stanza over several lines", () => {
    const text =
      "Types: deb\nURIs: http://archive.example/debian\nSuites: trixie\nComponents: main\nSigned-By:\n -----BEGIN\n .\n -----END\n";
    expect(fromDeb822(text, "sid")?.text).toContain("Signed-By: \n -----BEGIN\n .\n -----END\n");
  });

  test("is found among lines, with its options", () => {
    const text = `# deb http://old.example/debian sid main
deb https://packages.example/apt stable main
deb http://archive.example/debian-security bookworm-security main
deb [arch=amd64 signed-by=/k.gpg] http://archive.example/debian bookworm main contrib
`;
    expect(fromLines(text, "sid")).toEqual({
      fileName: "debian.list",
      text: "deb [arch=amd64 signed-by=/k.gpg] http://archive.example/debian sid main\n",
    });
  });

  test("is not one that is switched off, has only sources, or is somebody else's", () => {
    expect(
      fromDeb822(
        "Types: deb\nEnabled: no\nURIs: http://a.example/debian\nSuites: x\nComponents: main\n",
        "sid",
      ),
    ).toBeUndefined();
    expect(
      fromDeb822("Types: deb-src\nURIs: http://a.example/debian\nSuites: x\nComponents: main\n", "sid"),
    ).toBeUndefined();
    expect(
      fromDeb822("Types: deb\nURIs: http://a.example/ubuntu\nSuites: x\nComponents: main\n", "sid"),
    ).toBeUndefined();
    expect(fromLines("deb http://a.example/ubuntu noble main\n", "sid")).toBeUndefined();
  });
});
