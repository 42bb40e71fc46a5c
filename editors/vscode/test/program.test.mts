import assert from "node:assert/strict";
import { chmod, mkdtemp, mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { run } from "../src/output.ts";
import { candidates, findProgram, type Places } from "../src/program.ts";
import { suggestWords } from "../src/words.ts";

function places(changes: Partial<Places>): Places {
  return {
    configured: "", python: undefined, environment: { PATH: "/usr/bin:./bin" }, trusted: true, home: "/home/me", windows: false,
    folder: "/workspace", ...changes,
  };
}

test("the setting counts alone", () => {
  const found = candidates(places({ configured: "~/tools/dockopt", python: "/venv/bin/python" }));
  assert.deepEqual(found.map((entry) => entry.program), ["/home/me/tools/dockopt"]);
});

test("what is set is relative to the workspace folder", () => {
  const program = (changes: Partial<Places>) => candidates(places(changes))[0]?.program;
  assert.equal(program({ configured: ".venv/bin/dockopt" }), "/workspace/.venv/bin/dockopt");
  assert.equal(program({ configured: "${workspaceFolder}/.venv/bin/dockopt" }), "/workspace/.venv/bin/dockopt");
  assert.equal(program({ configured: "/opt/dockopt" }), "/opt/dockopt");
  const windows = { windows: true, folder: "C:\\w", home: "C:\\Users\\me" };
  assert.equal(program({ ...windows, configured: "${workspaceFolder}\\dockopt.exe" }), "C:\\w\\dockopt.exe");
  assert.equal(program({ ...windows, configured: "~/dockopt.exe" }), "C:\\Users\\me\\dockopt.exe");
});

test("the report of the command has the settings of the editor", () => {
  const none = { select: [], ignore: [], context: "", imageChanging: false, unproven: false };
  assert.deepEqual(suggestWords("/w/Dockerfile", none), ["suggest", "--stdin-filename", "/w/Dockerfile", "--color", "never", "-"]);
  const all = { select: ["reorder", "split-run"], ignore: ["drift"], context: "-odd", imageChanging: true, unproven: true };
  assert.deepEqual(suggestWords("/w/Dockerfile", all).slice(5), [
    "--select=reorder,split-run", "--ignore=drift", "--context=-odd", "--all", "--unproven", "-",
  ]);
});

test("the Python environment comes before the PATH, and pipx last", () => {
  const found = candidates(places({ python: "/venv/bin/python" }));
  assert.deepEqual(
    found.map((entry) => entry.program),
    ["/venv/bin/dockopt", "/usr/bin/dockopt", "/home/me/.local/bin/dockopt", "/home/me/.local/bin/dockopt"],
  );
});

test("a workspace that is not trusted decides nothing", () => {
  const found = candidates(places({ trusted: false, configured: "./evil", python: "/workspace/.venv/bin/python" }));
  assert.ok(found.every((entry) => !entry.program.includes("evil") && !entry.program.includes("workspace")));
});

test("a relative entry of the PATH is left out", () => {
  assert.ok(candidates(places({})).every((entry) => entry.program.startsWith("/")));
});

test("Windows has other names", () => {
  const found = candidates(
    places({ windows: true, environment: { Path: "C:\\Tools;D:\\Bin" }, home: "C:\\Users\\me", python: "C:\\venv\\Scripts\\python.exe" }),
  );
  assert.deepEqual(found.slice(0, 2).map((entry) => entry.program), ["C:\\venv\\Scripts\\dockopt.exe", "C:\\Tools\\dockopt.exe"]);
});

test("the first that may be started is taken", async () => {
  const root = await mkdtemp(join(tmpdir(), "dockopt-"));
  for (const name of ["one", "two"]) await mkdir(join(root, name));
  await writeFile(join(root, "one", "dockopt"), "");
  await writeFile(join(root, "two", "dockopt"), "#!/bin/sh\ncat\n");
  await chmod(join(root, "two", "dockopt"), 0o755);
  const found = await findProgram(places({ environment: { PATH: `${root}/one:${root}/two` }, home: root }));
  assert.equal(found?.program, join(root, "two", "dockopt"));
  assert.deepEqual(await run(found.program, [], "FROM alpine\n"), { code: 0, output: "FROM alpine\n", errors: "" });
});

test("none is none", async () => {
  assert.equal(await findProgram(places({ environment: { PATH: "/nowhere" }, home: "/nowhere" })), undefined);
});

test("a program that does not read its input is no error", async () => {
  const result = await run("/bin/sh", ["-c", "echo no >&2; exit 2"], "x".repeat(1_000_000));
  assert.deepEqual(result, { code: 2, output: "", errors: "no\n" });
});

test("a program that cannot be started is an error", async () => {
  await assert.rejects(run("/nowhere/dockopt", [], ""));
});
