/** What the editor's settings are on the command line. Knows nothing of the editor. */

export interface Settings {
  readonly select: readonly string[];
  readonly ignore: readonly string[];
  readonly context: string;
  readonly imageChanging: boolean;
  readonly unproven: boolean;
}

/** Return the words that report on a text as the language server does, which has the same settings. */
export function suggestWords(file: string, settings: Settings): string[] {
  const words = ["suggest", "--stdin-filename", file, "--color", "never"];
  if (settings.select.length > 0) words.push(`--select=${settings.select.join(",")}`);
  if (settings.ignore.length > 0) words.push(`--ignore=${settings.ignore.join(",")}`);
  if (settings.context !== "") words.push(`--context=${settings.context}`);
  if (settings.imageChanging) words.push("--all");
  if (settings.unproven) words.push("--unproven");
  return [...words, "-"];
}
