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

export async function pictures(tools) {
  const folder = join(tools.root, "docs", "images");
  mkdirSync(folder, { recursive: true });
  for (const { name, words, options, prepare } of PICTURES) {
    const { page, context } = await tools.open(tools.report(name, ...words), { ...options, reducedMotion: "reduce" });
    await prepare(page);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    await context.close();
  }
}
