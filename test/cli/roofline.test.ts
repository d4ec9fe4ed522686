import { expect, test } from "vitest";
import { rooflineSvg } from "../../src/cli/roofline.ts";

test("a title of any characters is text", () => {
  const limits = { gigahertz: 3, macsPerCycle: 30, bytesPerCycle: 30 };
  const steps = [{ op: "conv2d", name: "a", macs: 1e6, bytes: 1e4, min: 20 }];
  const svg = rooflineSvg('a "b" <c> & \u0001\u001b[31m \ud800', { limits, steps });
  expect(svg).toContain("<title>a &quot;b&quot; &lt;c&gt; &amp; ??[31m ?: roofline</title>");
  expect(svg).toContain('class="title">a &quot;b&quot; &lt;c&gt; &amp; ??[31m ?</text>');
});
