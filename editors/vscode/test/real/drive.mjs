// Does in a real VS Code what a user does: open, see, ask for the light bulb, fix, save, undo; screenshots show each step.
// Started by run.sh; arguments: the address, and the folder of a copy of fixtures/examples/go-service.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// `import` would not look at NODE_PATH
const { chromium } = createRequire(import.meta.url)("playwright-core");

const [address, folder, pictures] = process.argv.slice(2);
const file = join(folder, "Dockerfile");
const before = readFileSync(file, "utf8");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
const picture = (name) => page.screenshot({ path: join(pictures, `${name}.png`) });
// a text with spaces is drawn with no-break spaces
const line = (text) => page.locator(".view-line", { hasText: new RegExp(text.replaceAll(".", "\\.").replaceAll(" ", "\\s")) }).first();
const listed = (title) =>
  page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().waitFor({ timeout: 60_000 });
const command = async (title) => {
  await page.keyboard.press("F1");
  await page.waitForSelector(".quick-input-widget input");
  await page.keyboard.type(title);
  await listed(title);
  await page.keyboard.press("Enter");
};

await page.goto(`${address}/?folder=${folder}`);
await page.waitForSelector(".monaco-workbench", { timeout: 90_000 });
await page.waitForTimeout(3000);
await page.keyboard.press("Control+P");
await page.waitForSelector(".quick-input-widget input");
await page.keyboard.type("Dockerfile");
await listed("Dockerfile");
await page.keyboard.press("Enter");
await page.waitForSelector(".squiggly-info, .squiggly-hint", { timeout: 60_000 });
await page.waitForTimeout(1500);
await picture("1-findings");

await line("COPY . .").click({ position: { x: 20, y: 5 } });
await page.keyboard.press("Control+Period");
await page.waitForSelector(".action-widget .monaco-list-row", { timeout: 30_000 });
const offered = await page.$$eval(".action-widget .monaco-list-row .title", (rows) => rows.map((row) => row.textContent));
await picture("2-quick-fix");
assert.ok(offered.some((title) => title.includes("split-copy")), String(offered));
await page.keyboard.press("Escape");

await command("dockopt: Fix file");
await line("COPY go.mod go.sum").waitFor({ timeout: 30_000 });
await picture("3-fixed");
await page.keyboard.press("Control+S");
await page.waitForTimeout(2000);
const fixed = readFileSync(file, "utf8");
assert.ok(fixed.includes("COPY go.mod go.sum ./\nRUN go mod download\nCOPY . ."), fixed);
assert.ok(fixed.includes("--mount=type=cache,target=/root/.cache/go-build"), fixed);

await page.keyboard.press("Control+Z");
await page.waitForTimeout(1000);
await page.keyboard.press("Control+S");
await page.waitForTimeout(2000);
assert.equal(readFileSync(file, "utf8"), before, "one undo brings the file back");

await command("dockopt: Suggest");
await page.locator(".tab", { hasText: "dockopt suggest.diff" }).waitFor({ timeout: 30_000 });
await page.waitForTimeout(1000);
await picture("4-suggest");
await browser.close();
console.log("open, quick fix, fix file, save, undo, suggest: all as expected");
