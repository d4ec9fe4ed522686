import { ModelError } from "../errors.ts";
import type { Graph } from "./graph.ts";

/** What a user can do about a graph that is wrong after the import, or after a pass. */
export function mendAfter(after: string): string {
  if (after === IMPORT) return "export the model again";
  return "this is a bug of thimble: compile with `passes: []`, and report the model";
}

/** What `verifyGraph` is told of a graph that comes from a file. */
export const IMPORT = "import";

/**
 * What every graph must be: ids in range, each tensor made once and before it is read, constants and variables made by nobody,
 * all outputs made. `after` names the import or pass to blame.
 * @throws ModelError
 */
export function verifyGraph(graph: Graph, after: string): void {
  const { tensors, nodes, inputs, outputs } = graph;
  const fail = (code: string, what: string): never => {
    throw new ModelError(code, `graph "${graph.name}" after ${after}: ${what}; ${mendAfter(after)}`);
  };
  const label = (id: number): string => `tensor ${id} "${tensors[id]?.name ?? ""}"`;
  for (const [index, tensor] of tensors.entries()) {
    if (tensor.id !== index) fail("graph-tensor-id", `tensor ${index} has id ${tensor.id}`);
  }
  const available = new Set<number>();
  for (const id of inputs) {
    if (tensors[id] === undefined) fail("graph-tensor-index", `there is no tensor ${id} for an input`);
    if (tensors[id]?.data !== undefined) fail("graph-constant-input", `input ${label(id)} is a constant`);
    if (available.has(id)) fail("graph-repeated-input", `${label(id)} is listed as an input twice`);
    available.add(id);
  }
  for (const { id, data, isVariable } of tensors) if (data !== undefined || isVariable) available.add(id);
  for (const node of nodes) {
    for (const id of node.inputs) {
      if (id === -1) continue;
      if (tensors[id] === undefined)
        fail("graph-tensor-index", `${node.op} "${node.name}" reads tensor ${id} of ${tensors.length}`);
      if (!available.has(id))
        fail("graph-order", `${node.op} "${node.name}" reads ${label(id)} before it is made`);
    }
    for (const id of node.outputs) {
      if (tensors[id] === undefined)
        fail("graph-tensor-index", `${node.op} "${node.name}" writes tensor ${id} of ${tensors.length}`);
      if (available.has(id))
        fail("graph-two-producers", `${node.op} "${node.name}" writes ${label(id)}, which is there`);
      available.add(id);
    }
  }
  const constants = new Set(tensors.filter(({ data }) => data !== undefined).map(({ id }) => id));
  for (const id of outputs) {
    if (tensors[id] === undefined) fail("graph-tensor-index", `there is no tensor ${id} for an output`);
    if (constants.has(id)) fail("graph-constant-output", `output ${label(id)} is a constant`);
    if (!available.has(id)) fail("graph-missing-output", `output ${label(id)} is never made`);
  }
}
