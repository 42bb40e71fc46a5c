/** The extension: finds the `dockopt` program, runs its language server, and offers three commands. */

import * as vscode from "vscode";
import { LanguageClient, RevealOutputChannelOn, type LanguageClientOptions } from "vscode-languageclient/node";

import { run } from "./output.ts";
import { findProgram, thisMachine, type Found } from "./program.ts";
import { suggestWords } from "./words.ts";

let client: LanguageClient | undefined;
let program: Found | undefined;
let channel: vscode.LogOutputChannel;
/** Starts and stops, one after the other: two at once would leave a server that nobody stops. */
let turn: Promise<void> = Promise.resolve();

/** What the program printed, shown read-only, so that nobody is asked whether to save it. */
const printed = new Map<string, string>();
const printedChanged = new vscode.EventEmitter<vscode.Uri>();
const PRINTED = "dockopt";

/** Another Python environment was selected, and may have another dockopt. */
const pythonChanged = new vscode.EventEmitter<void>();
let pythonWatch: vscode.Disposable | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  channel = vscode.window.createOutputChannel("dockopt", { log: true });
  context.subscriptions.push(
    channel,
    printedChanged,
    vscode.workspace.registerTextDocumentContentProvider(PRINTED, {
      onDidChange: printedChanged.event,
      provideTextDocumentContent: (uri) => printed.get(uri.toString()) ?? "",
    }),
    vscode.workspace.onDidCloseTextDocument((document) => printed.delete(document.uri.toString())),
    vscode.commands.registerTextEditorCommand("dockopt.suggest", (editor) => suggest(editor.document)),
    vscode.commands.registerTextEditorCommand("dockopt.fixFile", (editor) => fixFile(editor.document)),
    vscode.commands.registerTextEditorCommand("dockopt.showGraph", (editor) => showGraph(editor.document)),
    vscode.commands.registerCommand("dockopt.restart", restart),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
    pythonChanged,
    pythonChanged.event(restart),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("dockopt.path")) await restart();
    }),
  );
  await inTurn(start);
}

export async function deactivate(): Promise<void> {
  pythonWatch?.dispose();
  await inTurn(stop);
}

async function restart(): Promise<void> {
  await inTurn(async () => {
    await stop();
    await start();
  });
}

function inTurn(step: () => Promise<void>): Promise<void> {
  turn = turn.then(step).catch((error: unknown) => channel.error(String(error)));
  return turn;
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  if (running?.needsStop()) await running.stop();
}

async function start(): Promise<void> {
  const configured = vscode.workspace.getConfiguration("dockopt").get("path", "");
  const trusted = vscode.workspace.isTrusted;
  program = await findProgram({
    ...thisMachine(),
    configured,
    python: await selectedPython(),
    trusted,
    folder: vscode.workspace.workspaceFolders?.[0]?.uri.fsPath,
  });
  if (program === undefined) {
    const how =
      configured !== "" && trusted
        ? `the setting \`dockopt.path\` names \`${configured}\`, which is no program`
        : "`pipx install '.[lsp]'` in a clone of dockopt installs it; the setting `dockopt.path` names one that is elsewhere";
    channel.warn(`no dockopt program found; ${how}`);
    void vscode.window.showWarningMessage(`dockopt: no program found; ${how}.`);
    return;
  }
  channel.info(`starting ${program.program} (${program.reason})`);
  const options: LanguageClientOptions = {
    documentSelector: [{ scheme: "file", language: "dockerfile" }],
    outputChannel: channel,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    middleware: {
      workspace: {
        configuration: async (params, token, next) => {
          const answer = await next(params, token);
          return Array.isArray(answer) ? answer.map(serverSettings) : answer;
        },
      },
    },
  };
  client = new LanguageClient("dockopt", "dockopt", { command: program.program, args: ["lsp"] }, options);
  try {
    await client.start();
  } catch (error) {
    channel.error(`the server did not start: ${String(error)}; \`${program.program} lsp\` tells more in a terminal`);
    void vscode.window.showErrorMessage("dockopt: the language server did not start; the output channel tells why.");
  }
}

/** The settings without those that are about starting the server: it would report them as unknown. */
function serverSettings(settings: unknown): unknown {
  if (typeof settings !== "object" || settings === null) return settings;
  const { path, trace, ...rest } = settings as Record<string, unknown>;
  return rest;
}

/** The interpreter that the Python extension has selected, if there is that extension. */
async function selectedPython(): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension("ms-python.python");
  if (extension === undefined || !vscode.workspace.isTrusted) return undefined;
  try {
    const api: unknown = extension.isActive ? extension.exports : await extension.activate();
    const environments = (api as PythonApi).environments;
    pythonWatch ??= environments.onDidChangeActiveEnvironmentPath(() => pythonChanged.fire());
    const resolved = await environments.resolveEnvironment(environments.getActiveEnvironmentPath());
    return resolved?.executable.uri?.fsPath;
  } catch (error) {
    channel.debug(`the Python extension does not tell its environment: ${String(error)}`);
    return undefined;
  }
}

/** The part of the Python extension's interface that is used (github.com/microsoft/vscode-python, `api.ts`). */
interface PythonApi {
  environments: {
    getActiveEnvironmentPath(): { path: string };
    resolveEnvironment(at: { path: string }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
    onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

async function suggest(document: vscode.TextDocument): Promise<void> {
  const settings = vscode.workspace.getConfiguration("dockopt", document.uri);
  const words = suggestWords(document.fileName, {
    select: settings.get("select", []),
    ignore: settings.get("ignore", []),
    context: settings.get("context", ""),
    imageChanging: settings.get("imageChanging", false),
    unproven: settings.get("unproven", false),
  });
  await show(document, words, "diff");
}

async function showGraph(document: vscode.TextDocument): Promise<void> {
  if (document.isDirty && !(await document.save())) return;
  await show(document, ["graph", "--format", "mermaid", document.fileName], "mermaid");
}

async function fixFile(document: vscode.TextDocument): Promise<void> {
  // the same action as on save, so that it can be undone in one step
  await vscode.commands.executeCommand("editor.action.codeAction", { kind: "source.fixAll.dockopt", apply: "first" });
  channel.debug(`asked for all safe changes of ${document.fileName}`);
}

/** Run the program on a document and show what it prints in an editor beside it. */
async function show(document: vscode.TextDocument, words: string[], language: string): Promise<void> {
  if (program === undefined) {
    void vscode.window.showWarningMessage("dockopt: no program found; `dockopt: Restart server` looks again.");
    return;
  }
  const folder = vscode.workspace.getWorkspaceFolder(document.uri)?.uri.fsPath;
  const result = await run(program.program, words, document.getText(), folder).catch((error: unknown) => ({
    code: 2,
    output: "",
    errors: `\`${program?.program}\` cannot be started: ${String(error)}`,
  }));
  if (result.code > 1) {
    channel.error(result.errors.trim());
    void vscode.window.showErrorMessage(`dockopt: ${result.errors.trim() || `exit code ${result.code}`}`);
    return;
  }
  const beside = document.uri.path.slice(0, document.uri.path.lastIndexOf("/"));
  const uri = vscode.Uri.from({ scheme: PRINTED, path: `${beside}/dockopt ${words[0]}.${language}` });
  printed.set(uri.toString(), result.output || "nothing to improve\n");
  printedChanged.fire(uri);
  const shown = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(shown, { viewColumn: vscode.ViewColumn.Beside, preview: true });
}
