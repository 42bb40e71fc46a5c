/** Run a program with a text on its standard input and return what it prints. */

import { spawn } from "node:child_process";

export interface Result {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

export function run(program: string, words: readonly string[], input: string, cwd?: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    // no shell: the words go to the program as they are
    const child = spawn(program, words, { cwd, stdio: "pipe", shell: false });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 3, output, errors }));
    // a program that does not read its input ends the pipe early
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
