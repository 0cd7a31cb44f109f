// Runs the tests of the page of `flowtruth report` in a real browser.
//
// playwright-core and axe-core are installed below `target`, in the versions of `package-lock.json`; the browser is the
// machine's own (`chromium`, or `$CHROMIUM`), and so is the program under test (`target/debug/flowtruth`, or `$FLOWTRUTH`).
// `node tests/page/run.mjs --pictures` writes the pictures of `docs/images` anew instead.

import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const flowtruth = process.env.FLOWTRUTH ?? join(target, "debug", "flowtruth");

function modules() {
  const lock = readFileSync(join(here, "package-lock.json"));
  const folder = join(target, `page-${createHash("sha256").update(lock).digest("hex").slice(0, 12)}`);
  if (!existsSync(join(folder, "complete"))) {
    mkdirSync(folder, { recursive: true });
    for (const file of ["package.json", "package-lock.json"]) copyFileSync(join(here, file), join(folder, file));
    execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], { cwd: folder, stdio: "inherit" });
    writeFileSync(join(folder, "complete"), "");
  }
  return createRequire(join(folder, "package.json"));
}

function browserPath() {
  const candidates = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"];
  const found = candidates.find(path => path && existsSync(path));
  if (!found) throw new Error("no Chromium was found; `apt-get install chromium` has it, or `$CHROMIUM` names one");
  return found;
}

const load = modules();
const { chromium } = load("playwright-core");
const axe = readFileSync(load.resolve("axe-core/axe.min.js"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "flowtruth-page-"));
// a container's root has no sandbox of its own; the pages are this project's, and nothing else is opened
const browser = await chromium.launch({ executablePath: browserPath(), args: ["--no-sandbox"] });

/** What the tests need. */
export const tools = {
  root,
  folder,
  axe,
  browser,
  /** Runs the program; what it prints on standard output. */
  flowtruth: (...words) => execFileSync(flowtruth, words, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] }),
  /** Writes a report and gives its address. */
  report(name, ...words) {
    const file = join(folder, `${name}.html`);
    this.flowtruth("report", "--quiet", ...words, "-o", file);
    return pathToFileURL(file).href;
  },
  /** Opens a page, and remembers whatever goes wrong in it. */
  async open(address, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const problems = [];
    page.on("console", message => problems.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", error => problems.push(error.message));
    page.on("request", request => {
      if (request.url() !== address) problems.push(`asked for ${request.url()}`);
    });
    const begun = performance.now();
    await page.goto(address, { waitUntil: "load" });
    return { page, context, problems, took: performance.now() - begun };
  },
};

let failed = 0;
try {
  if (process.argv.includes("--pictures")) {
    const { pictures } = await import("./pictures.mjs");
    await pictures(tools);
  } else {
    const { tests } = await import("./tests.mjs");
    let passed = 0;
    for (const [name, test] of Object.entries(tests)) {
      try {
        await test(tools);
        passed += 1;
      } catch (error) {
        failed += 1;
        console.error(`${name}: ${error.stack ?? error}\n`);
      }
    }
    console.log(`${passed} passed, ${failed} failed`);
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;
