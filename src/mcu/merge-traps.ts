import type { Instruction } from "./instructions.ts";
import { instructions, isBlock, OPCODE } from "./instructions.ts";
import { Reader, unsigned } from "./wasm-module.ts";

/** A block of a body: indices of the instructions that begin and end it. */
interface Block {
  readonly begin: number;
  end: number;
  readonly outer: Block | undefined;
  /** Branches that leave it by its end. */
  branches: number;
  isGone: boolean;
}

/** A branch, and where its labels lead: out of blocks, or (undefined) of the function. */
interface Branch {
  readonly inside: Block | undefined;
  readonly targets: (Block | undefined)[];
}

/** What never goes on to the next instruction. */
const LEAVES: readonly number[] = [OPCODE.unreachable, OPCODE.br, OPCODE.brTable];
/** A block's type: it takes and leaves nothing. */
const EMPTY = 0x40;

/**
 * The body with one trap where the blocks of a switch have many: branches to a block behind whose end there is nothing but a trap
 * lead to the outermost such block, and those to which no branch leads any more are gone with their traps.
 */
export function mergeTraps(body: Uint8Array): Uint8Array {
  const code = [...instructions(body)];
  const { blocks, branches } = structureOf(body, code);
  const isTrap = ({ begin, end }: Block): boolean => {
    const first = code[begin];
    if (first?.opcode !== OPCODE.block || body[first.begin + 1] !== EMPTY) return false;
    return code[end + 1]?.opcode === OPCODE.unreachable;
  };
  for (const { targets } of branches.values()) {
    for (const [i, target] of targets.entries()) {
      let trap = target;
      if (target !== undefined && isTrap(target)) {
        for (let outer = target.outer; outer !== undefined; outer = outer.outer)
          if (isTrap(outer)) trap = outer;
      }
      targets[i] = trap;
      if (trap !== undefined) trap.branches++;
    }
  }
  const gone = new Set<number>();
  for (const block of blocks) {
    const isLeft = LEAVES.includes(code[block.end - 1]?.opcode ?? -1);
    if (!isTrap(block) || block.branches > 0 || !isLeft) continue;
    block.isGone = true;
    for (const index of [block.begin, block.end, block.end + 1]) gone.add(index);
  }
  if (gone.size === 0) return body;
  const bytes = [...body.subarray(0, code[0]?.begin ?? 0)];
  for (const [index, { opcode, begin, end }] of code.entries()) {
    const branch = branches.get(index);
    if (gone.has(index)) continue;
    if (branch === undefined) {
      bytes.push(...body.subarray(begin, end));
      continue;
    }
    const labels = branch.targets.map((target) => unsigned(depthOf(branch.inside, target)));
    const count = opcode === OPCODE.brTable ? unsigned(labels.length - 1) : [];
    bytes.push(opcode, ...count, ...labels.flat());
  }
  return Uint8Array.from(bytes);
}

function structureOf(
  body: Uint8Array,
  code: readonly Instruction[],
): { readonly blocks: readonly Block[]; readonly branches: ReadonlyMap<number, Branch> } {
  const blocks: Block[] = [];
  const branches = new Map<number, Branch>();
  let inside: Block | undefined;
  for (const [index, { opcode, begin }] of code.entries()) {
    if (isBlock(opcode)) {
      inside = { begin: index, end: NaN, outer: inside, branches: 0, isGone: false };
      blocks.push(inside);
    } else if (opcode === OPCODE.end && inside !== undefined) {
      inside.end = index;
      inside = inside.outer;
    } else if (opcode === OPCODE.br || opcode === OPCODE.brIf || opcode === OPCODE.brTable) {
      const reader = new Reader(body, begin + 1);
      const depths = opcode === OPCODE.brTable ? reader.list(() => reader.unsigned()) : [];
      depths.push(reader.unsigned());
      branches.set(index, { inside, targets: depths.map((depth) => blockAt(inside, depth)) });
    }
  }
  return { blocks, branches };
}

function blockAt(inside: Block | undefined, depth: number): Block | undefined {
  let block = inside;
  for (; depth > 0; depth--) block = block?.outer;
  return block;
}

/** The label of a block for a branch inside of others, those that are gone not counted. */
function depthOf(inside: Block | undefined, target: Block | undefined): number {
  let depth = 0;
  for (let block = inside; block !== target; block = block?.outer) if (block?.isGone === false) depth++;
  return depth;
}
