import { ModelError, ThimbleError, UnsupportedError } from "../errors.ts";
import type { Graph, Node, Tensor } from "../graph/graph.ts";
import { IMPORT } from "../graph/verify.ts";
import { opOfBuiltin } from "../ops/index.ts";
import type { OpDefinition, Options } from "../ops/op.ts";
import { verifyOperators } from "../ops/verify.ts";
import type { Table } from "./flatbuffer.ts";
import type { FileModel, FileOperator } from "./read.ts";
import { readModel } from "./read.ts";

/**
 * The bytes of a `.tflite` file → a verified graph in execution order. Tensor ids are the file's indices and `source` of a
 * node is its operator's index.
 * @throws ModelError the file is damaged or contradicts itself
 * @throws UnsupportedError it uses what thimble does not run; all such operators at once
 */
export function importModel(bytes: Uint8Array, name = "model"): Graph {
  const file = withEmptyLists(readModel(bytes));
  const definitions = definitionsOf(file.operators);
  checkInputs(file);
  checkVariables(file, definitions);
  checkSharing(file, bytes.length);
  const nodes = executionOrder(file).map((operator) =>
    importOperator(file, operator, definitions[operator.index] as OpDefinition),
  );
  const graph = { name, tensors: file.tensors, nodes, inputs: file.inputs, outputs: file.outputs };
  verifyOperators(graph, IMPORT);
  return graph;
}

/** A list of nothing (no axes, the shape of a scalar) has no bytes in the file, as what operators make has none: it is what none makes. */
function withEmptyLists(file: FileModel): FileModel {
  const made = new Set([...file.inputs, ...file.operators.flatMap(({ outputs }) => outputs)]);
  const tensors = file.tensors.map((tensor) => {
    const { id, type, shape, data } = tensor;
    const isList = type === "int32" && shape.length === 1 && shape[0] === 0;
    return isList && data === undefined && !made.has(id) ? { ...tensor, data: new Uint8Array(0) } : tensor;
  });
  return { ...file, tensors };
}

/** Operators that one message names. */
const MAX_LISTED = 20;

function definitionsOf(operators: readonly FileOperator[]): OpDefinition[] {
  const missing = new Map<string, number>();
  const definitions = operators.map(({ builtin, name }) => {
    const definition = opOfBuiltin(builtin);
    if (definition === undefined) missing.set(name, (missing.get(name) ?? 0) + 1);
    return definition;
  });
  if (missing.size > 0) {
    const list = [...missing].map(([name, count]) => (count === 1 ? name : `${name} (${count} times)`));
    const hidden = list.splice(MAX_LISTED).length;
    if (hidden > 0) list.push(`${hidden} more`);
    throw new UnsupportedError(
      "unsupported-operators",
      `the model uses operators that thimble does not run yet: ${list.join(", ")}; ` +
        "replace them in the model before conversion",
    );
  }
  return definitions.filter((definition) => definition !== undefined);
}

/**
 * Nothing is made of nothing: without empty inputs no tensor is empty, whatever reshapes it.
 * @throws UnsupportedError empty-tensor
 */
function checkInputs({ tensors, inputs }: FileModel): void {
  for (const id of inputs) {
    const { name = "", shape = [] } = tensors[id] ?? {};
    if (!shape.includes(0)) continue;
    throw new UnsupportedError(
      "empty-tensor",
      `input "${name}" has shape [${shape.join(", ")}]; every dimension must be at least 1: export the model with fixed sizes`,
    );
  }
}

/**
 * A variable is the state of one operator, and of nothing else: whoever read it beside would see it before or after its change.
 * @throws UnsupportedError variable-tensor
 */
function checkVariables(
  { tensors, operators, inputs, outputs }: FileModel,
  definitions: readonly OpDefinition[],
): void {
  const refuse = (id: number, what: string): never => {
    throw new UnsupportedError(
      "variable-tensor",
      `tensor ${id} "${tensors[id]?.name ?? ""}" keeps its value from run to run and ${what}; only the state of one operator ` +
        "may: export the model again with its state inside of its operators",
    );
  };
  for (const id of [...inputs, ...outputs])
    if (tensors[id]?.isVariable) refuse(id, "is an input or output of the model");
  const seen = new Set<number>();
  for (const operator of operators) {
    const states = Object.values(definitions[operator.index]?.states ?? {});
    for (const [index, id] of operator.inputs.entries()) {
      if (!tensors[id]?.isVariable) continue;
      if (!states.includes(index)) refuse(id, `is read by ${where(operator)}`);
      if (seen.has(id)) refuse(id, `is read twice, by ${where(operator)} too`);
      seen.add(id);
    }
  }
}

/**
 * The operators in an order in which every input is there when it is needed. Files are usually in it already.
 * @throws ModelError a tensor with two producers, a cycle, an input that nothing produces
 */
function executionOrder({ tensors, operators, inputs }: FileModel): FileOperator[] {
  const producer = new Map<number, FileOperator>();
  const available = new Set(inputs);
  for (const { id, data, isVariable } of tensors) if (data !== undefined || isVariable) available.add(id);
  for (const operator of operators) {
    for (const id of operator.outputs) {
      const tensor = `tensor ${id} "${tensors[id]?.name ?? ""}"`;
      if (available.has(id)) {
        throw new ModelError(
          "output-not-free",
          `${where(operator)} writes ${tensor}, an input or constant; export again`,
        );
      }
      if (producer.has(id)) {
        throw new ModelError(
          "two-producers",
          `${where(operator)} writes ${tensor}, which is written before; export again`,
        );
      }
      producer.set(id, operator);
    }
  }
  const order: FileOperator[] = [];
  const done = new Set<FileOperator>();
  const open = new Set<FileOperator>();
  for (const operator of operators) {
    if (done.has(operator)) continue;
    // Depth first with a stack of our own: files may chain 100,000 operators backwards.
    const stack = [{ operator, next: 0 }];
    open.add(operator);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const reader = top.operator;
      const id = reader.inputs[top.next++];
      if (id === undefined) {
        stack.pop();
        open.delete(reader);
        done.add(reader);
        order.push(reader);
        for (const output of reader.outputs) available.add(output);
        continue;
      }
      if (id < 0 || available.has(id)) continue;
      const before = producer.get(id);
      const tensor = `tensor ${id} "${tensors[id]?.name ?? ""}"`;
      if (before === undefined) {
        throw new ModelError(
          "never-produced",
          `${where(reader)} reads ${tensor}, which nothing produces; export again`,
        );
      }
      if (open.has(before)) {
        throw new ModelError(
          "cycle",
          `${where(reader)} reads ${tensor}, which needs its own result; export again`,
        );
      }
      open.add(before);
      stack.push({ operator: before, next: 0 });
    }
  }
  return order;
}

/** Times the file's size that its operators may read of constants in all, and what any file may. */
const MAX_SHARING = 64;
const SMALL_BYTES = 2 ** 20;

/**
 * Weights are packed for every operator that reads them, so sharing is bounded: a small file must not ask for much work.
 * @throws UnsupportedError shared-constants
 */
function checkSharing({ tensors, operators }: FileModel, fileBytes: number): void {
  let bytes = 0;
  for (const { inputs } of operators) for (const id of inputs) bytes += tensors[id]?.data?.length ?? 0;
  if (bytes <= Math.max(MAX_SHARING * fileBytes, SMALL_BYTES)) return;
  throw new UnsupportedError(
    "shared-constants",
    `the operators read ${bytes} bytes of constants, over ${MAX_SHARING} times the file's ${fileBytes}; ` +
      "share weights between fewer operators",
  );
}

/** How messages name an operator. */
function where(operator: FileOperator): string {
  return `operator ${operator.index} (${operator.name})`;
}

function importOperator(file: FileModel, operator: FileOperator, definition: OpDefinition): Node {
  const inputs = operator.inputs.map((id) => (id < 0 ? undefined : file.tensors[id]));
  const outputs = operator.outputs.map((id) => file.tensors[id]) as Tensor[];
  try {
    const attrs = definition.prepare(inputs, outputs, definition.tflite.read(options(operator.options)));
    return {
      op: definition.name,
      name: outputs[0]?.name ?? "",
      inputs: operator.inputs,
      outputs: operator.outputs,
      attrs,
      source: operator.index,
    };
  } catch (error) {
    if (!(error instanceof ThimbleError)) throw error;
    const kind = error instanceof UnsupportedError ? UnsupportedError : ModelError;
    throw new kind(error.code, `subgraph 0, ${where(operator)}: ${error.message}`, { cause: error });
  }
}

function options(table: Table | undefined): Options {
  return {
    int: (field, fallback) => table?.int(field, fallback) ?? fallback,
    byte: (field, fallback) => table?.byte(field, fallback) ?? fallback,
    bool: (field, fallback) => table?.bool(field, fallback) ?? fallback,
    float: (field, fallback) => table?.float(field, fallback) ?? fallback,
    ints: (field) => table?.ints(field, `field ${field}`) ?? [],
  };
}
