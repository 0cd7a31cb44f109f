// Writes the pictures of `docs/images`. They are looked at by people; no test compares them.

import { mkdirSync } from "node:fs";
import { join } from "node:path";

const PICTURES = [
  {
    name: "report-timeline",
    words: ["--max-aggregation-interval", "60", "fixtures/captures/traffic/thirty-four.pcap"],
    options: { colorScheme: "light", viewport: { width: 1180, height: 860 } },
    prepare: async page => {
      await page.locator('#packets tr[data-packet="12"] button').click();
      await page.evaluate(() => scrollTo(0, 0));
    },
  },
  {
    name: "report-vpc",
    words: ["--log-format", "v5", "--vpc", "fixtures/vpc/nat", "fixtures/captures/vpc/nat.pcap"],
    options: { colorScheme: "dark", viewport: { width: 1180, height: 900 } },
    prepare: async page => {
      await page.locator("#beside").scrollIntoViewIfNeeded();
      await page.evaluate(() => document.querySelector("#beside").scrollIntoView());
    },
  },
  {
    name: "report-differences",
    words: ["fixtures/diff/unexplained/reference.pcap", "fixtures/diff/unexplained/candidate.log"],
    options: { colorScheme: "light", viewport: { width: 1180, height: 760 } },
    prepare: async page => {
      await page.evaluate(() => document.querySelector("#timeline").scrollIntoView());
      await page.locator("#plot rect.difference").first().hover();
    },
  },
];

/** What a lesson's picture shows: traffic that `generate` makes, the rest of the command, the section, what is done first. */
const LESSONS = [
  { number: 1, scenario: "web-session", section: "#beside", height: 620, packet: 4 },
  { number: 2, scenario: "web-session", section: "#beside", height: 560, packet: 6 },
  { number: 3, scenario: "windows-60", words: ["--max-aggregation-interval", "60"], section: "#timeline", height: 660 },
  { number: 4, scenario: "asymmetric-ping", words: ["--vpc", "VPC", "--max-aggregation-interval", "capture"], section: "#paths", height: 395 },
  { number: 5, scenario: "dns-and-metadata", words: ["--vpc", "VPC", "--like-aws"], section: "#ledger", height: 300 },
  { number: 6, scenario: "nat-gateway", words: ["--vpc", "VPC", "--log-format", "v5"], section: "#timeline", height: 700 },
  { number: 7, scenario: "syn-flood", section: "#timeline", height: 560 },
  { number: 8, scenario: "web-session", section: "#beside", height: 640, packet: 5, scheme: "dark" },
];

const lesson = tools => ({ number, scenario, words = [], section, height, packet, scheme = "light" }) => {
  const folder = join(tools.folder, `lesson-${number}`);
  tools.flowtruth("generate", "--quiet", scenario, "-o", folder);
  const own = words.map(word => (word === "VPC" ? join(folder, "vpc") : word));
  return {
    name: `lesson-${number}`,
    words: [...own, join(folder, "capture.pcap")],
    options: { colorScheme: scheme, viewport: { width: 1100, height } },
    prepare: async page => {
      if (packet) await page.locator(`#packets tr[data-packet="${packet - 1}"] button`).click();
      await page.evaluate(section => {
        for (const part of document.querySelectorAll("#paths details")) part.open = true;
        document.querySelector(section).scrollIntoView();
      }, section);
    },
  };
};

export async function pictures(tools) {
  const folder = join(tools.root, "docs", "images");
  mkdirSync(folder, { recursive: true });
  for (const { name, words, options, prepare } of [...PICTURES, ...LESSONS.map(lesson(tools))]) {
    const { page, context } = await tools.open(tools.report(name, ...words), { ...options, reducedMotion: "reduce" });
    await prepare(page);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    await context.close();
  }
}
