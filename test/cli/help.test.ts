import { expect, test } from "vitest";
import { COMMANDS, COMMON, PLANNING } from "../../src/cli/commands.ts";
import { HELP } from "../../src/cli/help.ts";

/** Of each option that HELP describes, the commands that its lines begin with. */
function commandsByOption(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, text = ""] of HELP.matchAll(/^ {2}(-.+)$/gm)) {
    const [names = "", description = ""] = text.split(/ {2,}/);
    const commands = [...description.matchAll(/(?:^|; )((?:[a-z]+, )*[a-z]+): /g)]
      .flatMap(([, list = ""]) => list.split(", "))
      .filter((name) => COMMANDS.has(name));
    for (const [, name = ""] of names.matchAll(/--([a-z-]+)/g))
      found.set(name, new Set([...(found.get(name) ?? []), ...commands]));
  }
  return found;
}

test("help says of every option which commands take it", () => {
  const described = commandsByOption();
  const taken = new Map<string, Set<string>>();
  for (const [name, { takes }] of COMMANDS)
    for (const option of takes) taken.set(option, (taken.get(option) ?? new Set()).add(name));
  expect([...described.keys()].sort()).toEqual([...taken.keys(), ...COMMON].sort());
  for (const [option, commands] of taken) {
    if ((PLANNING as readonly string[]).includes(option)) continue;
    expect([option, [...(described.get(option) ?? [])].sort()]).toEqual([option, [...commands].sort()]);
  }
  // Whatever plans a model takes all of these, and only `diff` two at once.
  const planning = [...COMMANDS].filter(([, { takes }]) => takes.includes("sram")).map(([name]) => name);
  for (const option of PLANNING) expect([...(taken.get(option) ?? [])]).toEqual(planning);
});
