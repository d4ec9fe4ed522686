"""Runs a model's files on wasm3: usage wasm3_host.py FOLDER STACK_BYTES INPUTS RUNS RESETS.

FOLDER holds model.thimble and thimble-mcu.wasm; INPUTS is a file with the stored bytes of all inputs of all RUNS one after the other.
The model's state is set before each of the first RESETS runs and the next one.
Prints what planVersion says, the seconds of all runs, and the outputs' stored bytes in hexadecimal, a line each.
"""

import struct
import sys
import time

import wasm3


def stored_bytes(port):
    _, stored_type, _, length, *_ = port
    return length * (1, 4, 1, 2, 4, 1)[stored_type]


class Model:
    """The model of a folder, loaded."""

    def __init__(self, folder, stack_bytes):
        image = open(f"{folder}/model.thimble", "rb").read()
        kernels = open(f"{folder}/thimble-mcu.wasm", "rb").read()
        sections = []
        at = 48
        for length in struct.unpack_from("<5I", image, 16):
            sections.append(image[at : at + length])
            at += (length + 15) & ~15
        _, sram, self.flash, _, table = sections
        self.entry = struct.unpack_from("<I", sram, 12)[0]
        input_count, output_count, state_count = struct.unpack_from("<3I", table)
        port_count = input_count + output_count
        ports = [struct.unpack_from("<7i", table, 12 + 28 * i) for i in range(port_count)]
        self.inputs, self.outputs = ports[:input_count], ports[input_count:]
        self.states = [struct.unpack_from("<3i", table, 12 + 28 * port_count + 12 * i) for i in range(state_count)]
        self.given = []

        self.environment = wasm3.Environment()
        self.runtime = self.environment.new_runtime(stack_bytes)
        self.module = self.environment.parse_module(kernels)
        self.runtime.load(self.module)
        for name, function in (("flash_read", self.flash_read), ("input_row", self.input_row)):
            try:
                self.module.link_function("host", name, "v(iii)", function)
            except RuntimeError as error:
                # A module without streamed weights or inputs does not import them.
                if "lookup failed" not in str(error):
                    raise
        self.plan_version = self.runtime.find_function("planVersion")()
        self.run_records = self.runtime.find_function("run")
        self.memory[0 : len(sram)] = sram

    @property
    def memory(self):
        return self.runtime.get_memory(0)

    def flash_read(self, destination, source, count):
        if source + count > len(self.flash):
            raise IndexError(f"flash read of {count} bytes at {source}, there are {len(self.flash)}")
        self.memory[destination : destination + count] = self.flash[source : source + count]

    def input_row(self, number, row, destination):
        data = self.given[number]
        row_bytes = len(data) // self.inputs[number][4]
        self.memory[destination : destination + row_bytes] = data[row * row_bytes : (row + 1) * row_bytes]

    def reset(self):
        for address, count, initial in self.states:
            self.memory[address : address + count] = bytes([initial]) * count

    def give(self, inputs):
        """Stored bytes of each input, for the next run."""
        self.given = inputs
        for port, data in zip(self.inputs, inputs):
            if port[4] == 0:
                self.memory[port[2] : port[2] + len(data)] = data

    def run(self):
        """Seconds that it took."""
        begin = time.perf_counter()
        failed = self.run_records(self.entry)
        seconds = time.perf_counter() - begin
        if failed:
            sys.exit(f"the kernels do not know the record at address {failed}")
        return seconds

    def answers(self):
        return [bytes(self.memory[port[2] : port[2] + stored_bytes(port)]) for port in self.outputs]


def main(folder, stack_bytes, inputs_path, runs, resets):
    model = Model(folder, int(stack_bytes))
    stream = open(inputs_path, "rb")
    print(model.plan_version)
    seconds = 0.0
    outputs = []
    for number in range(int(runs)):
        model.give([stream.read(stored_bytes(port)) for port in model.inputs])
        if number <= int(resets):
            model.reset()
        seconds += model.run()
        outputs += model.answers()
    print(seconds)
    print("\n".join(output.hex() for output in outputs))


if __name__ == "__main__":
    main(*sys.argv[1:])
