// The tests: a name and what must hold.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { MARK, hostileCapture } from "./hostile.mjs";

const TRAFFIC = ["--max-aggregation-interval", "60", "fixtures/captures/traffic/thirty-four.pcap"];
const DIFFERENT = ["fixtures/diff/unexplained/reference.pcap", "fixtures/diff/unexplained/candidate.log"];
const NAT = ["--log-format", "v5", "--vpc", "fixtures/vpc/nat", "fixtures/captures/vpc/nat.pcap"];
const DENIED = ["--log-format", "v5", "--vpc", "fixtures/vpc/ping-denied", "fixtures/captures/aws/ping.pcap"];
const PAGES = {
  traffic: TRAFFIC,
  different: DIFFERENT,
  nat: NAT,
  denied: DENIED,
  quiz: ["--quiz", "--seed", "7", "--anonymize", "--log-format", "v5", ...TRAFFIC],
  empty: ["fixtures/captures/damaged/header-only.pcap"],
  containers: ["fixtures/captures/containers/conversation.told.pcapng"],
};

/** What axe-core finds. It is put into the page from outside, past the page's own policy, which is then tested elsewhere. */
async function violations({ axe }, { page, context }) {
  const session = await context.newCDPSession(page);
  await session.send("Page.setBypassCSP", { enabled: true });
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run());
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => `${node.html} (${node.failureSummary})`).slice(0, 3).join("; ")}`);
}

// what stands between backticks is code on the page
const asCode = text => text.replaceAll("`", "");
const texts = (page, selector) => page.locator(selector).allTextContents();
const lit = (page, selector) => page.locator(`${selector}.lit`).count();

async function traffic(tools) {
  const opened = await tools.open(tools.report("traffic", ...TRAFFIC));
  return { ...opened, lines: tools.flowtruth("convert", "--quiet", ...TRAFFIC).trim().split("\n") };
}

export const tests = {
  async "pages open without errors, within two seconds, and ask for nothing"(tools) {
    for (const [name, words] of Object.entries(PAGES)) {
      const { context, problems, took, page } = await tools.open(tools.report(name, ...words));
      assert.deepEqual(problems, [], name);
      assert.ok(took < 2000, `${name} took ${took} ms`);
      assert.match(await page.title(), /flowtruth report$/, name);
      await context.close();
    }
  },

  async "the page of every fixture is drawn, and every number in the drawing is one"(tools) {
    const folder = join(tools.root, "fixtures/captures");
    const captures = readdirSync(folder, { recursive: true }).map(String).filter(name => /\.pcap(ng)?(\.\w+)?$/.test(name)).sort();
    assert.ok(captures.length > 100, `${captures.length} captures`);
    let pages = 0;
    for (const capture of captures) {
      const file = join(tools.folder, "fixture.html");
      rmSync(file, { force: true });
      try {
        tools.report("fixture", join(folder, capture));
      } catch (error) {
        // damaged: what came before the damage is on a page, unless nothing did
        assert.equal(error.status, 2, capture);
        if (!existsSync(file)) continue;
      }
      const { page, context, problems } = await tools.open(pathToFileURL(file).href);
      assert.deepEqual(problems, [], capture);
      const wrong = await page.evaluate(() => [...document.querySelectorAll("#plot svg *")].filter(one => [...one.attributes].some(({ value }) => /NaN|Infinity|undefined/.test(value))).length);
      assert.equal(wrong, 0, capture);
      pages += 1;
      await context.close();
    }
    assert.ok(pages > 90, `${pages} pages`);
  },

  async "pages are accessible, in the light and in the dark, narrow and wide"(tools) {
    for (const [name, words] of Object.entries(PAGES)) {
      const address = tools.report(name, ...words);
      for (const options of [{ colorScheme: "light" }, { colorScheme: "dark" }, { viewport: { width: 400, height: 800 } }]) {
        const opened = await tools.open(address, options);
        await opened.page.evaluate(() => document.querySelectorAll("details").forEach(part => (part.open = true)));
        assert.deepEqual(await violations(tools, opened), [], `${name}, ${JSON.stringify(options)}`);
        await opened.context.close();
      }
    }
  },

  async "questions are judged, explained, and kept closed on paper"(tools) {
    const { questions } = JSON.parse(tools.flowtruth("quiz", "--json", "--answers", "--seed", "7", ...TRAFFIC));
    const { page, context, problems } = await tools.open(tools.report("quiz-open", "--quiz", "--seed", "7", ...TRAFFIC));
    assert.deepEqual(await texts(page, "#quiz legend"), questions.map(question => asCode(question.text)));
    assert.equal(await page.locator("#quiz legend code").count() > 0, true);
    const verdict = at => page.locator("#quiz .verdict").nth(at);
    const choose = (at, choice) => page.locator(`#quiz input[name="question-${at + 1}"]`).nth(choice).check();
    const isOpen = at => page.locator("#quiz .answer").nth(at).evaluate(part => part.open);
    await choose(0, questions[0].answer);
    assert.equal(await verdict(0).textContent(), "Right");
    assert.equal(await isOpen(0), true);
    assert.ok((await page.locator("#quiz .answer").first().textContent()).includes(asCode(questions[0].explanation)));
    await choose(1, (questions[1].answer + 1) % questions[1].choices.length);
    assert.equal(await verdict(1).textContent(), "Not that one");
    assert.equal(await isOpen(1), false);
    await choose(1, questions[1].answer);
    assert.equal(await verdict(1).textContent(), "Right");
    assert.equal(await page.locator("#score").textContent(), "1 of 2 questions right at the first try");
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator("#quiz .answer:visible").count(), 0);
    assert.equal(await page.locator("#quiz legend:visible").count(), questions.length);
    assert.deepEqual(problems, []);
    await context.close();
  },

  async "the table of records is what convert writes"(tools) {
    const { page, context, lines } = await traffic(tools);
    const rows = await page.locator("#records tbody tr").evaluateAll(rows => rows.map(row => [...row.cells].slice(1).map(cell => cell.textContent).join(" ")));
    assert.deepEqual(rows, lines);
    await context.close();
  },

  async "the timeline has every packet and every record"(tools) {
    const { page, context, lines } = await traffic(tools);
    assert.equal(await page.locator("#plot svg rect.bar").count(), lines.length);
    const drawn = await page.locator("#plot svg .packet").evaluateAll(all => all.map(one => one.dataset.packet));
    assert.equal(new Set(drawn).size, 34);
    // each once above, and once more on each record that it is in
    assert.equal(drawn.length, 34 + 32);
    assert.equal(await page.locator("#plot svg .packet.skipped").count(), 2);
    assert.equal(await page.locator("#plot .band, #plot rect.edge").count(), 3, "windows");
    const sums = await texts(page, "#plot .sum");
    const words = lines.map(line => line.split(" ")).map(fields => [fields[8], fields[9]].map(Number));
    const said = words.map(([packets, bytes]) => `${packets} packet${packets === 1 ? "" : "s"}, ${bytes.toLocaleString("en-US")} bytes`);
    assert.deepEqual([...sums].sort(), said.sort());
    await context.close();
  },

  async "packets stand where their time is"(tools) {
    const { page, context } = await traffic(tools);
    const places = () => page.locator("#plot svg .thread").evaluateAll(all => all.map(one => [Number(one.dataset.of), Number(one.getAttribute("d").slice(1).split(" ")[0])]));
    const isSorted = list => list.every(([, x], at) => at === 0 || list[at - 1][1] <= x);
    assert.ok(isSorted((await places()).sort((a, b) => a[0] - b[0])));
    await page.locator("#scale").check();
    const exact = new Map(await places());
    // packets 3, 10 and 34 are 1 s, 7 s and 131 s behind the first
    const [a, b, c] = [2, 9, 33].map(at => exact.get(at));
    const times = await page.locator("#packets tbody tr td:nth-child(2)").allTextContents();
    const [ta, tb, tc] = [2, 9, 33].map(at => Date.parse(times[at]));
    assert.ok(Math.abs((b - a) / (c - a) - (tb - ta) / (tc - ta)) < 0.002, `${a} ${b} ${c}`);
    await context.close();
  },

  async "the ledger accounts for every packet"(tools) {
    const ledgerFile = join(tools.folder, "ledger.json");
    tools.flowtruth("convert", "--quiet", "--ledger", ledgerFile, "-o", join(tools.folder, "x.log"), ...TRAFFIC);
    const { total } = JSON.parse(readFileSync(ledgerFile, "utf8"));
    const { page, context } = await traffic(tools);
    const rows = await page.locator("#ledger tbody tr").evaluateAll(rows => rows.map(row => [row.cells[0].textContent.trim(), Number(row.cells[1].textContent)]));
    assert.deepEqual(Object.fromEntries(rows), { "in records": total.packets_in_records, ...total.packets_skipped });
    assert.equal(await page.locator("#read").textContent(), String(total.packets_read));
    const widths = await page.locator("svg.ledger rect").evaluateAll(all => all.map(one => Number(one.getAttribute("width"))));
    assert.ok(Math.abs(widths.reduce((a, b) => a + b) - 1000) < 1);
    await context.close();
  },

  async "the filter takes words, fields and actions"(tools) {
    const { page, context, lines } = await traffic(tools);
    const visible = () => page.locator("#records tbody tr:visible").count();
    for (const [text, matches] of [
      ["", () => true],
      ["dstport=8443", line => line.split(" ")[6] === "8443"],
      ["8443", line => line.includes("8443")],
      ["192.0.2.10 protocol=17", line => line.includes("192.0.2.10") && line.split(" ")[7] === "17"],
      ["nothing-like-this", () => false],
    ]) {
      await page.locator("#filter").fill(text);
      const expected = lines.filter(matches).length;
      assert.equal(await visible(), expected, text);
      assert.equal(await page.locator("#found").textContent(), `${expected} of ${lines.length} records`);
    }
    await page.locator("#filter").fill("");
    await page.locator("#action").selectOption("REJECT");
    assert.equal(await visible(), 0);
    await page.locator("#action").selectOption("ACCEPT");
    assert.equal(await visible(), lines.length);
    await context.close();
  },

  async "columns sort, numbers as numbers"(tools) {
    const { page, context, lines } = await traffic(tools);
    const bytes = lines.map(line => Number(line.split(" ")[9])).sort((a, b) => a - b);
    const head = page.locator("#records thead th", { hasText: "bytes" });
    const column = () => page.locator("#records tbody tr td:nth-child(11)").evaluateAll(cells => cells.map(cell => Number(cell.textContent)));
    await head.locator("button").click();
    assert.equal(await head.getAttribute("aria-sort"), "ascending");
    assert.deepEqual(await column(), bytes);
    await head.locator("button").focus();
    await page.keyboard.press("Enter");
    assert.equal(await head.getAttribute("aria-sort"), "descending");
    assert.deepEqual(await column(), bytes.reverse());
    assert.equal(await page.locator("#records th[aria-sort]").count(), 1);
    await context.close();
  },

  async "a packet lights up its record, and a record its packets, under the pointer and under the focus"(tools) {
    const { page, context } = await traffic(tools);
    const row = page.locator('#packets tr[data-packet="33"]');
    const record = await row.locator("a").getAttribute("href");
    const place = record.slice(2);
    const expectPacket = async how => {
      assert.equal(await lit(page, '#packets tr[data-packet="33"]'), 1, how);
      assert.equal(await lit(page, "#packets tr"), 1, how);
      assert.equal(await lit(page, `#records tr[data-record="${place}"]`), 1, how);
      assert.equal(await lit(page, `#plot rect.bar[data-record="${place}"]`), 1, how);
      assert.equal(await lit(page, "#plot rect.bar"), 1, how);
      assert.equal(await lit(page, '#plot .packet[data-packet="33"]'), 2, how);
    };
    await page.locator('#plot .packet[data-packet="33"]').first().hover();
    await expectPacket("hovered in the plot");
    await page.mouse.move(5, 5);
    await row.hover();
    await expectPacket("hovered in the table");
    await page.mouse.move(5, 5);
    assert.equal(await lit(page, '#packets tr[data-packet="33"]'), 0, "it goes out again");
    await row.locator("button").focus();
    await expectPacket("focused");
    // and back
    await page.locator('#records tr[data-record="2"] button').focus();
    const own = await page.locator("#packets tr.lit").count();
    assert.equal(own, Number(await page.locator('#records tr[data-record="2"] td:nth-child(10)').textContent()));
    await context.close();
  },

  async "the arrow keys go from packet to packet"(tools) {
    const { page, context } = await traffic(tools);
    await page.locator("#plot").focus();
    await page.keyboard.press("Home");
    assert.match(await page.locator("#told").textContent(), /^Packet 1, .*in no record: arp/);
    assert.equal(await page.locator("#record-title").textContent(), "No record");
    for (let at = 0; at < 2; at++) await page.keyboard.press("ArrowRight");
    assert.match(await page.locator("#told").textContent(), /^Packet 3, .*in record 3$/);
    assert.equal(await page.locator("#packet-title").textContent(), "Packet 3");
    assert.equal(await page.locator("tr.chosen").count(), 1);
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.locator("#packet-title").textContent(), "Packet 34");
    await context.close();
  },

  async "a packet stands beside its record, field by field"(tools) {
    const { page, context, lines } = await traffic(tools);
    await page.locator('#packets tr[data-packet="2"] button').click();
    const record = await page.locator("#record tr").evaluateAll(rows => rows.map(row => row.cells[1].textContent).join(" "));
    assert.equal(record, lines[2]);
    const field = name => page.locator("#packet tr", { has: page.locator(`td:text-is("${name}")`) });
    assert.match(await field("destination port").textContent(), /8443.*20 fb → dstport/);
    await field("destination port").hover();
    assert.deepEqual(await texts(page, "#record tr.lit th"), ["dstport"]);
    await page.locator("#record tr", { hasText: "srcaddr" }).focus();
    assert.deepEqual(await texts(page, "#packet tr.lit td:first-child"), ["source address"]);
    await context.close();
  },

  async "the slider takes packets away, and records count what is left"(tools) {
    const { page, context } = await traffic(tools);
    await page.locator("#cursor").fill("4");
    assert.equal(await page.locator("#so-far").textContent(), "4 of 34");
    assert.equal(await page.locator('#plot .sum[data-of="2"]').textContent(), "1 packet, 60 bytes");
    assert.equal(await page.locator('#plot .sum[data-of="14"]').textContent(), "0 packets, 0 bytes");
    assert.equal(await page.locator("#plot .packet:not(.later)").count(), 4 + 2);
    await context.close();
  },

  async "a window can be looked at by itself"(tools) {
    const { page, context, lines } = await traffic(tools);
    await page.locator("#range").selectOption({ index: 2 });
    const starts = lines.map(line => Number(line.split(" ")[10]));
    const inside = starts.filter(start => start % 3600 >= 60 && start % 3600 < 120).length;
    assert.ok(inside > 0);
    assert.equal(await page.locator("#plot rect.bar").count(), inside);
    await context.close();
  },

  async "differences are on the timeline and lead to their records"(tools) {
    const { page, context } = await tools.open(tools.report("different", ...DIFFERENT));
    const { differences, verdict } = JSON.parse(tools.flowtruth("diff", "--json", "--strict", ...["fixtures/diff/same/reference.pcap", "fixtures/diff/same/candidate.log"]));
    assert.deepEqual([differences.length, verdict], [0, "same"], "the other fixture agrees");
    assert.equal(await page.locator("#plot rect.difference.wrong").count(), 2);
    assert.equal(await page.locator("#differences-table tbody tr").count(), 2);
    assert.match(await page.locator("#differences .verdict").textContent(), /different/);
    await page.locator("#plot rect.difference").first().hover();
    assert.equal(await lit(page, "#differences-table tr"), 1);
    assert.ok((await lit(page, "#records tr")) > 0);
    await context.close();
  },

  async "with a VPC each record says which rule decided, and leads to its way"(tools) {
    const { page, context } = await tools.open(tools.report("denied", ...DENIED));
    const lines = tools.flowtruth("convert", "--quiet", "--why", ...DENIED).trim().split("\n");
    const reasons = lines.map(line => line.split("\t")[1]);
    const shown = await page.locator("#records tbody tr td:nth-child(2)").evaluateAll(cells => cells.map(cell => cell.firstChild.textContent.trim()));
    assert.deepEqual(shown, reasons);
    assert.ok(lines.some(line => line.includes("REJECT")), "the fixture refuses something");
    assert.equal(await page.locator("#plot rect.bar.REJECT").count(), lines.filter(line => line.includes(" REJECT ")).length);
    await page.locator("#records tbody tr a").first().click();
    assert.equal(await page.locator("details:target").getAttribute("open"), "");
    assert.match(await page.locator("details:target").textContent(), /network ACL.*security groups|security groups.*network ACL/s);
    await context.close();
  },

  async "a large capture is sampled, and the page says so"(tools) {
    const capture = join(tools.root, "fixtures/captures/aws/flags-1-43418-client.pcap.gz");
    const { page, context, problems, took } = await tools.open(tools.report("many", capture));
    assert.deepEqual(problems, []);
    assert.ok(took < 2000, `${took} ms`);
    assert.equal(await page.locator("#packets tbody tr").count(), 600);
    assert.match(await page.locator(".admission").textContent(), /600 of [\d,]+ packets are shown: the first 600 that were read/);
    const bars = await page.locator("#plot rect.bin").count();
    assert.ok(bars > 3);
    assert.equal(await page.locator("#bins tbody tr").count(), bars);
    const cells = await texts(page, "#bins tbody td:nth-child(2)");
    const read = await page.locator("#read").textContent();
    const sum = cells.reduce((sum, cell) => sum + Number(cell.replaceAll(",", "")), 0);
    assert.equal(sum.toLocaleString("en-US"), read);
    await page.locator("#range").selectOption({ label: "the packets of this page" });
    assert.equal(await page.locator("#plot .thread").count(), 600);
    await context.close();
  },

  async "strings of hostile captures, logs and VPCs stay text"(tools) {
    const folder = join(tools.folder, `a${MARK.replaceAll("/", "\\")}`);
    mkdirSync(folder);
    const capture = join(folder, "hostile.pcapng");
    writeFileSync(capture, hostileCapture());
    const log = join(folder, "hostile.log");
    const unspaced = MARK.replaceAll(" ", "");
    const header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
    writeFileSync(log, `${header}\n2 1 ${unspaced} 10.0.1.10 10.0.1.20 1000 53 17 1 40 1700000000 1700000000 ACCEPT OK\n`);
    const vpc = join(folder, "vpc.toml");
    writeFileSync(vpc, readFileSync(join(tools.root, "fixtures/vpc/web.toml"), "utf8").replaceAll(/"(sg|acl|eni)-/g, (_, kind) => `"${kind}-${unspaced.replaceAll('"', '\\"')}-`));
    for (const words of [[capture, log, "--set", `vpc-id=${unspaced}`, "--log-format", "v5"], [capture, "--vpc", vpc]]) {
      const { page, context, problems } = await tools.open(tools.report("hostile", ...words));
      assert.deepEqual(problems, []);
      assert.equal(await page.evaluate(() => globalThis.planted), undefined);
      assert.equal(await page.locator("img, iframe, b").count(), 0);
      const facts = await page.locator("#captures").textContent();
      assert.ok(facts.split(MARK).length > 6, facts);
      // the VPC's identifier, or the one that was typed
      assert.ok((await page.locator("#records").textContent()).includes(unspaced));
      await context.close();
    }
  },

  async "nothing runs that is not the page's own"(tools) {
    const file = join(tools.folder, "policy.html");
    tools.report("policy", ...TRAFFIC);
    writeFileSync(file, readFileSync(file, "utf8").replace("</body>", '<script>globalThis.planted = 1</script><img src="x" onerror="globalThis.planted = 2"></body>'));
    const { page, context, problems } = await tools.open(pathToFileURL(file).href);
    assert.equal(await page.evaluate(() => globalThis.planted), undefined);
    assert.ok(problems.some(problem => problem.includes("Content Security Policy")), problems.join("\n"));
    await context.close();
  },

  async "without a script the tables are there"(tools) {
    const { page, context } = await tools.open(tools.report("traffic", ...TRAFFIC), { javaScriptEnabled: false });
    assert.equal(await page.locator("#records tbody tr:visible").count(), 15);
    assert.equal(await page.locator("#packets tbody tr:visible").count(), 34);
    assert.equal(await page.locator(".controls:visible").count(), 0);
    await context.close();
  },

  async "the dark is dark, and paper is white and whole"(tools) {
    const address = tools.report("traffic", ...TRAFFIC);
    const ground = page => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await tools.open(address, { colorScheme: "dark" });
    assert.equal(await ground(dark.page), "rgb(16, 20, 24)");
    await dark.page.emulateMedia({ media: "print" });
    assert.equal(await ground(dark.page), "rgb(255, 255, 255)");
    assert.equal(await dark.page.locator(".controls:visible, nav:visible").count(), 0);
    const cut = await dark.page.locator(".scroll").evaluateAll(all => all.filter(one => one.scrollHeight > one.clientHeight + 1).length);
    assert.equal(cut, 0, "every table is printed whole");
    const pdf = await dark.page.pdf({ format: "A4" });
    assert.ok(pdf.length > 20_000);
    await dark.context.close();
    // 29 columns, on paper of A4 across
    const wide = await tools.open(tools.report("nat", ...NAT), { viewport: { width: 1030, height: 700 } });
    await wide.page.emulateMedia({ media: "print" });
    assert.equal(await wide.page.evaluate(() => document.documentElement.scrollWidth), 1030);
    await wide.context.close();
  },
};
