import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { operators } from "../../src/cli/operators.ts";

test("the documentation lists the operators that there are", () => {
  const page = readFileSync(new URL("../../docs/operators.md", import.meta.url), "utf8");
  expect(page).toContain(`\n\`\`\`\n${operators({ json: false })}\n\`\`\`\n`);
});

test("programs get the same as JSON", () => {
  const rows = JSON.parse(operators({ json: true })) as { operator: string; view: boolean; rows: boolean }[];
  expect(rows.find(({ operator }) => operator === "RESHAPE")).toMatchObject({ view: true, rows: false });
  expect(rows.find(({ operator }) => operator === "SPLIT")).toMatchObject({ view: false, moves: true });
  expect(rows.find(({ operator }) => operator === "UNIDIRECTIONAL_SEQUENCE_LSTM")).toMatchObject({
    types: ["int8", "int16"],
  });
  expect(rows.find(({ operator }) => operator === "CONV_2D")).toMatchObject({
    types: expect.arrayContaining(["int8"]) as unknown,
    rows: true,
    inPlace: true,
    pitched: true,
  });
});
