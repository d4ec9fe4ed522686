import fc from "fast-check";
import { expect, test } from "vitest";
import { mirrorPad } from "../../src/ops/mirror-pad.ts";
import type { OptionField } from "../model-writer.ts";
import { coordinates, count } from "../reference/tensor.ts";
import { int8Tensor, int8Values } from "./node.ts";
import type { Operand } from "./operator.ts";
import { checkOperator } from "./operator.ts";

const Q = { scales: [0.05], zeroPoints: [7] };

/** Where an element of an output comes from: an input's index and coordinates, or a value of its own. */
type Source = (at: readonly number[]) => readonly [input: number, at: readonly number[]] | number;

/** An operator that moves elements: its moved inputs, the constants that follow or precede them, and the outputs. */
interface Moving {
  readonly builtin: number;
  readonly options?: readonly OptionField[];
  readonly inputs: readonly (readonly number[])[];
  /** int32 operands behind the inputs, or before them. */
  readonly behind?: readonly (readonly number[])[];
  readonly before?: readonly (readonly number[])[];
  /** A last operand of the tensor's own type. */
  readonly value?: number;
  readonly constantInputs?: readonly boolean[];
  readonly outputs: readonly { readonly shape: readonly number[]; readonly source: Source }[];
}

const size = fc.integer({ min: 1, max: 5 });
const shapeOf = (min: number, max: number): fc.Arbitrary<number[]> =>
  fc.array(size, { minLength: min, maxLength: max });

function int32(values: readonly number[]): Operand {
  return { shape: [values.length], type: "int32", values: Int32Array.from(values), isConstant: true };
}

/** Types that are moved: how they are quantised, and what one of many values becomes. */
const TYPES = {
  int8: { q: Q, zeros: (n: number) => new Int8Array(n), factor: 1 },
  int16: { q: { scales: [0.05], zeroPoints: [0] }, zeros: (n: number) => new Int16Array(n), factor: 255 },
  int32: { q: {}, zeros: (n: number) => new Int32Array(n), factor: 100_003 },
} as const;

async function check(moving: Moving, seed: number, type: keyof typeof TYPES = "int8"): Promise<void> {
  const { q, zeros, factor } = TYPES[type];
  const arrays = moving.inputs.map((shape, i) => {
    const values = int8Values(seed + i, count(shape));
    return zeros(values.length).map((_, k) => (values[k] ?? NaN) * factor);
  });
  await checkOperator({
    builtin: moving.builtin,
    options: moving.options ?? [],
    operands: [
      ...(moving.before ?? []).map(int32),
      ...moving.inputs.map((shape, i) => ({
        shape,
        type,
        ...q,
        values: arrays[i] ?? new Int8Array(0),
        isConstant: moving.constantInputs?.[i] === true,
      })),
      ...(moving.behind ?? []).map(int32),
      ...(moving.value === undefined
        ? []
        : [{ shape: [], type, ...q, values: zeros(1).fill(moving.value), isConstant: true }]),
    ],
    outputs: moving.outputs.map(({ shape, source }) => {
      const expected = zeros(count(shape)).map((_, i) => {
        const from = source(coordinates(shape, i));
        if (typeof from === "number") return from;
        const [input, at] = from;
        const index = (moving.inputs[input] ?? []).reduce((sum, n, axis) => sum * n + (at[axis] ?? 0), 0);
        return arrays[input]?.[index] ?? NaN;
      });
      return { shape, type, ...q, expected };
    }),
  });
}

const axisOf = (rank: number, bits: number): [axis: number, written: number] => {
  const axis = bits % rank;
  return [axis, bits & 64 ? axis - rank : axis];
};

/** Per operator, cases of it. */
const MOVES: Readonly<Record<string, fc.Arbitrary<Moving>>> = {
  concatenation: fc
    .tuple(shapeOf(1, 5), fc.nat(255), fc.array(size, { minLength: 1, maxLength: 4 }))
    .map(([shape, bits, sizes]): Moving => {
      const [axis, written] = axisOf(shape.length, bits);
      return {
        builtin: 2,
        options: [{ int: written }, { byte: 0 }],
        inputs: sizes.map((n) => shape.with(axis, n)),
        constantInputs: sizes.map((_, i) => i === 1 && bits % 3 === 0),
        outputs: [
          {
            shape: shape.with(
              axis,
              sizes.reduce((a, b) => a + b, 0),
            ),
            source(at) {
              let along = at[axis] ?? 0;
              const input = sizes.findIndex((n) => {
                if (along < n) return true;
                along -= n;
                return false;
              });
              return [input, at.with(axis, along)];
            },
          },
        ],
      };
    }),

  pack: fc.tuple(shapeOf(0, 4), fc.nat(255), size).map(([shape, bits, n]): Moving => {
    const [axis, written] = axisOf(shape.length + 1, bits);
    return {
      builtin: 83,
      options: [{ int: n }, { int: written }],
      inputs: Array<number[]>(n).fill(shape),
      constantInputs: Array.from({ length: n }, (_, i) => i === 2),
      outputs: [
        {
          shape: shape.toSpliced(axis, 0, n),
          source: (at) => [at[axis] ?? 0, at.toSpliced(axis, 1)],
        },
      ],
    };
  }),

  unpack: fc.tuple(shapeOf(1, 5), fc.nat(255)).map(([shape, bits]): Moving => {
    const [axis, written] = axisOf(shape.length, bits);
    const n = shape[axis] ?? 1;
    return {
      builtin: 88,
      options: [{ int: n }, { int: written }],
      inputs: [shape],
      outputs: Array.from({ length: n }, (_, k) => ({
        shape: shape.toSpliced(axis, 1),
        source: (at: readonly number[]) => [0, at.toSpliced(axis, 0, k)] as const,
      })),
    };
  }),

  split: fc.tuple(shapeOf(1, 5), fc.nat(255), size).map(([shape, bits, n]): Moving => {
    const [axis, written] = axisOf(shape.length, bits);
    const part = shape[axis] ?? 1;
    return {
      builtin: 49,
      options: [{ int: n }],
      before: [[written]],
      inputs: [shape.with(axis, part * n)],
      outputs: Array.from({ length: n }, (_, k) => ({
        shape,
        source: (at: readonly number[]) => [0, at.with(axis, k * part + (at[axis] ?? 0))] as const,
      })),
    };
  }),

  splitV: fc
    .tuple(shapeOf(1, 5), fc.nat(255), fc.array(size, { minLength: 1, maxLength: 4 }))
    .map(([shape, bits, sizes]): Moving => {
      const [axis, written] = axisOf(shape.length, bits);
      const all = sizes.reduce((a, b) => a + b, 0);
      return {
        builtin: 102,
        options: [{ int: sizes.length }],
        inputs: [shape.with(axis, all)],
        behind: [bits % 3 === 0 ? sizes.with(bits % sizes.length, -1) : sizes, [written]],
        outputs: sizes.map((n, k) => {
          const first = sizes.slice(0, k).reduce((a, b) => a + b, 0);
          return {
            shape: shape.with(axis, n),
            source: (at: readonly number[]) => [0, at.with(axis, first + (at[axis] ?? 0))] as const,
          };
        }),
      };
    }),

  slice: fc
    .array(fc.tuple(size, fc.nat(3), fc.nat(3), fc.boolean()), { minLength: 1, maxLength: 5 })
    .map((axes): Moving => {
      const begin = axes.map(([, before]) => before);
      const sizes = axes.map(([n]) => n);
      return {
        builtin: 65,
        inputs: [axes.map(([n, before, after, rest]) => before + n + (rest ? 0 : after))],
        behind: [begin, axes.map(([n, , , rest]) => (rest ? -1 : n))],
        outputs: [{ shape: sizes, source: (at) => [0, at.map((x, axis) => x + (begin[axis] ?? 0))] }],
      };
    }),

  stridedSlice: fc
    .array(
      fc.record({
        n: fc.integer({ min: 1, max: 7 }),
        start: fc.nat(6),
        step: fc.constantFrom(1, 1, 2, 3, -1, -2),
        taken: fc.nat(6),
        kind: fc.constantFrom("range", "range", "open", "shrink"),
        backwards: fc.boolean(),
      }),
      { minLength: 1, maxLength: 4 },
    )
    .map((axes): Moving => {
      // Every index that is taken, written down.
      const taken = axes.map(({ n, start, step, taken, kind }) => {
        const first = kind === "open" ? (step > 0 ? 0 : n - 1) : start % n;
        if (kind === "shrink") return [first];
        const all: number[] = [];
        for (let i = first; i >= 0 && i < n; i += step) all.push(i);
        return kind === "open" ? all : all.slice(0, 1 + (taken % all.length));
      });
      const sign = (i: number, n: number, backwards: boolean): number => (backwards ? i - n : i);
      const begin = axes.map(({ n, kind, backwards }, axis) =>
        kind === "open" ? 99 : sign(taken[axis]?.[0] ?? 0, n, backwards),
      );
      const end = axes.map(({ n, kind, step }, axis) => {
        if (kind !== "range") return kind === "shrink" ? 0 : -77;
        const past = (taken[axis]?.at(-1) ?? 0) + Math.sign(step);
        return past < 0 ? -n - 1 : past;
      });
      const mask = (kind: string): number =>
        axes.reduce((bits, each, axis) => bits | (each.kind === kind ? 1 << axis : 0), 0);
      const kept = axes.flatMap(({ kind }, axis) => (kind === "shrink" ? [] : [axis]));
      return {
        builtin: 45,
        options: [
          { int: mask("open") },
          { int: mask("open") },
          { int: 0 },
          { int: 0 },
          { int: mask("shrink") },
        ],
        inputs: [axes.map(({ n }) => n)],
        behind: [begin, end, axes.map(({ step, kind }) => (kind === "shrink" ? 1 : step))],
        outputs: [
          {
            shape: kept.map((axis) => taken[axis]?.length ?? 0),
            source: (at) => [
              0,
              taken.map((all, axis) => all[kept.includes(axis) ? (at[kept.indexOf(axis)] ?? 0) : 0] ?? 0),
            ],
          },
        ],
      };
    }),

  padV2: fc
    .tuple(
      fc.array(fc.tuple(size, fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: -128, max: 127 }),
    )
    .map(([axes, value]): Moving => {
      const shape = axes.map(([n]) => n);
      return {
        builtin: 60,
        inputs: [shape],
        behind: [axes.flatMap(([, before, after]) => [before, after])],
        value,
        outputs: [
          {
            shape: axes.map(([n, before, after]) => before + n + after),
            source(at) {
              const from = at.map((x, axis) => x - (axes[axis]?.[1] ?? 0));
              return from.every((x, axis) => x >= 0 && x < (shape[axis] ?? 0)) ? [0, from] : value;
            },
          },
        ],
      };
    }),

  mirrorPad: fc
    .tuple(fc.array(fc.tuple(size, fc.nat(9), fc.nat(9)), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([axes, reflect]): Moving => {
      const most = (n: number): number => (reflect ? n - 1 : n);
      const borders = axes.map(([n, a, b]) => [a % (most(n) + 1), b % (most(n) + 1)] as const);
      return {
        builtin: 100,
        options: [{ byte: reflect ? 0 : 1 }],
        inputs: [axes.map(([n]) => n)],
        behind: [borders.flat()],
        outputs: [
          {
            shape: axes.map(([n], axis) => n + (borders[axis]?.[0] ?? 0) + (borders[axis]?.[1] ?? 0)),
            source: (at) => [
              0,
              at.map((x, axis) => {
                const n = axes[axis]?.[0] ?? 1;
                const i = x - (borders[axis]?.[0] ?? 0);
                const edge = reflect ? 0 : 1;
                if (i < 0) return -i - edge;
                return i < n ? i : 2 * n - 2 - i + edge;
              }),
            ],
          },
        ],
      };
    }),

  reverse: fc.tuple(shapeOf(1, 5), fc.nat(31)).map(([shape, bits]): Moving => {
    const axes = shape.flatMap((_, axis) => ((bits >> axis) & 1 ? [axis] : []));
    const written = axes.length > 0 ? axes : [0];
    return {
      builtin: 105,
      inputs: [shape],
      behind: [written.map((axis) => (bits & 1 ? axis - shape.length : axis))],
      outputs: [
        {
          shape,
          source: (at) => [0, at.map((x, axis) => (written.includes(axis) ? (shape[axis] ?? 1) - 1 - x : x))],
        },
      ],
    };
  }),

  broadcastTo: fc
    .tuple(fc.array(fc.tuple(size, fc.boolean()), { minLength: 1, maxLength: 5 }), fc.nat(4))
    .map(([axes, dropped]): Moving => {
      const shape = axes.map(([n]) => n);
      const missing = Math.min(dropped, axes.length);
      const from = axes.map(([n, repeats]) => (repeats ? 1 : n)).slice(missing);
      return {
        builtin: 130,
        inputs: [from],
        behind: [shape],
        outputs: [
          { shape, source: (at) => [0, from.map((n, axis) => (n === 1 ? 0 : (at[axis + missing] ?? 0)))] },
        ],
      };
    }),

  spaceToDepth: fc
    .tuple(size, size, size, size, fc.integer({ min: 1, max: 3 }))
    .map(([n, h, w, c, b]): Moving => ({
      builtin: 26,
      options: [{ int: b }],
      inputs: [[n, h * b, w * b, c]],
      outputs: [
        {
          shape: [n, h, w, c * b * b],
          source: ([i = 0, y = 0, x = 0, k = 0]) => {
            const place = Math.floor(k / c);
            return [0, [i, y * b + Math.floor(place / b), x * b + (place % b), k % c]];
          },
        },
      ],
    })),

  depthToSpace: fc
    .tuple(size, size, size, size, fc.integer({ min: 1, max: 3 }))
    .map(([n, h, w, c, b]): Moving => ({
      builtin: 5,
      options: [{ int: b }],
      inputs: [[n, h, w, c * b * b]],
      outputs: [
        {
          shape: [n, h * b, w * b, c],
          source: ([i = 0, y = 0, x = 0, k = 0]) => [
            0,
            [i, Math.floor(y / b), Math.floor(x / b), ((y % b) * b + (x % b)) * c + k],
          ],
        },
      ],
    })),

  spaceToBatch: fc
    .record({
      n: size,
      h: size,
      w: size,
      c: size,
      by: fc.integer({ min: 1, max: 3 }),
      bx: fc.integer({ min: 1, max: 3 }),
      top: fc.nat(3),
      left: fc.nat(3),
    })
    .map(({ n, h, w, c, by, bx, top, left }): Moving => {
      const rows = Math.ceil((h + top) / by);
      const columns = Math.ceil((w + left) / bx);
      return {
        builtin: 38,
        inputs: [[n, h, w, c]],
        behind: [
          [by, bx],
          [top, rows * by - h - top, left, columns * bx - w - left],
        ],
        outputs: [
          {
            shape: [n * by * bx, rows, columns, c],
            source: ([i = 0, y = 0, x = 0, k = 0]) => {
              const place = Math.floor(i / n);
              const row = y * by + Math.floor(place / bx) - top;
              const column = x * bx + (place % bx) - left;
              const inside = row >= 0 && row < h && column >= 0 && column < w;
              return inside ? [0, [i % n, row, column, k]] : 7;
            },
          },
        ],
      };
    }),

  batchToSpace: fc
    .record({
      n: size,
      h: size,
      w: size,
      c: size,
      by: fc.integer({ min: 1, max: 3 }),
      bx: fc.integer({ min: 1, max: 3 }),
      crops: fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9), fc.nat(9)),
    })
    .map(({ n, h, w, c, by, bx, crops }): Moving => {
      const top = crops[0] % (h * by);
      const bottom = crops[1] % (h * by - top);
      const left = crops[2] % (w * bx);
      const right = crops[3] % (w * bx - left);
      return {
        builtin: 37,
        inputs: [[n * by * bx, h, w, c]],
        behind: [
          [by, bx],
          [top, bottom, left, right],
        ],
        outputs: [
          {
            shape: [n, h * by - top - bottom, w * bx - left - right, c],
            source: ([i = 0, y = 0, x = 0, k = 0]) => {
              const [row, column] = [y + top, x + left];
              const place = (row % by) * bx + (column % bx);
              return [0, [place * n + i, Math.floor(row / by), Math.floor(column / bx), k]];
            },
          },
        ],
      };
    }),

  squeeze: fc.array(fc.tuple(size, fc.boolean()), { minLength: 1, maxLength: 5 }).map((axes): Moving => {
    const shape = axes.map(([n, isOne]) => (isOne ? 1 : n));
    const ones = shape.flatMap((n, axis) => (n === 1 ? [axis] : []));
    const dropped = axes.length % 2 === 0 ? ones.slice(0, 1) : ones;
    const kept = shape.flatMap((_, axis) => (dropped.includes(axis) ? [] : [axis]));
    return {
      builtin: 43,
      options: [{ ints: dropped }],
      inputs: [shape],
      outputs: [
        {
          shape: kept.map((axis) => shape[axis] ?? 1),
          source: (at) => [
            0,
            shape.map((_, axis) => (kept.includes(axis) ? (at[kept.indexOf(axis)] ?? 0) : 0)),
          ],
        },
      ],
    };
  }),

  expandDims: fc.tuple(shapeOf(0, 4), fc.nat(255)).map(([shape, bits]): Moving => {
    const [axis, written] = axisOf(shape.length + 1, bits);
    return {
      builtin: 70,
      inputs: [shape],
      behind: [[written]],
      outputs: [{ shape: shape.toSpliced(axis, 0, 1), source: (at) => [0, at.toSpliced(axis, 1)] }],
    };
  }),

  zerosLike: shapeOf(0, 4).map((shape): Moving => ({
    builtin: 93,
    inputs: [shape],
    outputs: [{ shape, source: () => 0 }],
  })),
};

const TYPE_NAMES = ["int8", "int16", "int32"] as const;

test.each(Object.entries(MOVES))("%s moves every element where it belongs", async (name, cases) => {
  await fc.assert(
    fc.asyncProperty(cases, fc.nat(1000), fc.constantFrom(...TYPE_NAMES), async (moving, seed, type) => {
      // An empty list of dimensions to drop means all of 1.
      fc.pre(name !== "squeeze" || (moving.inputs[0] ?? []).includes(1));
      fc.pre(name !== "spaceToBatch" || type === "int8");
      await check(moving, seed, type);
    }),
    { numRuns: 30 },
  );
});

test("the helper tells a wrong element from a right one", async () => {
  const moving: Moving = {
    builtin: 65,
    inputs: [[3]],
    behind: [[1], [2]],
    outputs: [{ shape: [2], source: ([i = 0]) => [0, [i]] }],
  };
  await expect(check(moving, 5)).rejects.toThrow("output 0");
});

test("a refusal shows no more paddings than can be read", () => {
  const input = int8Tensor("in", { shape: [3], scale: 1, zeroPoint: 0 });
  const paddings = { id: 1, name: "p", shape: [500, 2], type: "int32", data: new Uint8Array(4000) } as const;
  expect(() => mirrorPad.prepare([input, paddings], [input], 0)).toThrow(/^.{0,300}984 more.{0,200}$/);
});
