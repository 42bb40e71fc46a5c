/** The extension: finds the `dockopt` program, runs its language server, and offers three commands. */

import * as vscode from "vscode";
import { LanguageClient, RevealOutputChannelOn, type LanguageClientOptions } from "vscode-languageclient/node";

import { run } from "./output.ts";
import { findProgram, thisMachine, type Found } from "./program.ts";

let client: LanguageClient | undefined;
let program: Found | undefined;
let channel: vscode.LogOutputChannel;

/** What the program printed, shown read-only, so that nobody is asked whether to save it. */
const printed = new Map<string, string>();
const printedChanged = new vscode.EventEmitter<vscode.Uri>();
const PRINTED = "dockopt";

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
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("dockopt.path")) await restart();
    }),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await stop();
}

async function restart(): Promise<void> {
  await stop();
  await start();
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  if (running?.needsStop()) await running.stop();
}

async function start(): Promise<void> {
  program = await findProgram({
    ...thisMachine(),
    configured: vscode.workspace.getConfiguration("dockopt").get("path", ""),
    python: await selectedPython(),
    trusted: vscode.workspace.isTrusted,
  });
  if (program === undefined) {
    const how = "`pipx install 'dockopt[lsp]'` installs it; the setting `dockopt.path` names one that is elsewhere";
    channel.warn(`no dockopt program found; ${how}`);
    void vscode.window.showWarningMessage(`dockopt: no program found. ${how}.`);
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
  };
}

async function suggest(document: vscode.TextDocument): Promise<void> {
  await show(document, ["suggest", "--stdin-filename", document.fileName, "--color", "never", "-"], "diff");
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
  const result = await run(program.program, words, document.getText(), folder);
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
