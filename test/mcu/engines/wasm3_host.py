"""Runs a model's files on wasm3: usage wasm3_host.py FOLDER STACK_BYTES INPUTS RUNS RESETS.

FOLDER holds model.thimble and thimble-mcu.wasm; INPUTS is a file with the stored bytes of all inputs of all RUNS one after the other.
The model's state is set before each of the first RESETS runs and the next one.
Prints what planVersion says, the seconds of all runs, and the outputs' stored bytes in hexadecimal, a line each.
"""

import struct
import sys
import time

import wasm3

folder, inputs_path = sys.argv[1], sys.argv[3]
stack_bytes, runs, resets = int(sys.argv[2]), int(sys.argv[4]), int(sys.argv[5])
image = open(f"{folder}/model.thimble", "rb").read()
kernels = open(f"{folder}/thimble-mcu.wasm", "rb").read()
stream = open(inputs_path, "rb")

sections = []
at = 48
for length in struct.unpack_from("<5I", image, 16):
    sections.append(image[at : at + length])
    at += (length + 15) & ~15
_, sram, flash, _, table = sections
entry = struct.unpack_from("<I", sram, 12)[0]
input_count, output_count, state_count = struct.unpack_from("<3I", table)
port_count = input_count + output_count
ports = [struct.unpack_from("<7i", table, 12 + 28 * i) for i in range(port_count)]
states = [struct.unpack_from("<3i", table, 12 + 28 * port_count + 12 * i) for i in range(state_count)]


def stored_bytes(port):
    _, stored_type, _, length, *_ = port
    return length * (1, 4, 1, 2, 4, 1)[stored_type]


environment = wasm3.Environment()
runtime = environment.new_runtime(stack_bytes)
module = environment.parse_module(kernels)
runtime.load(module)
given = []


def flash_read(destination, source, count):
    if source + count > len(flash):
        raise IndexError(f"flash read of {count} bytes at {source}, there are {len(flash)}")
    runtime.get_memory(0)[destination : destination + count] = flash[source : source + count]


def input_row(number, row, destination):
    row_bytes = len(given[number]) // ports[number][4]
    runtime.get_memory(0)[destination : destination + row_bytes] = given[number][row * row_bytes : (row + 1) * row_bytes]


for name, function in (("flash_read", flash_read), ("input_row", input_row)):
    try:
        module.link_function("host", name, "v(iii)", function)
    except RuntimeError as error:
        # A module without streamed weights or inputs does not import them.
        if "lookup failed" not in str(error):
            raise

run = runtime.find_function("run")
print(runtime.find_function("planVersion")())
memory = runtime.get_memory(0)
memory[0 : len(sram)] = sram
seconds = 0.0
outputs = []
for number in range(runs):
    given = [stream.read(stored_bytes(port)) for port in ports[:input_count]]
    memory = runtime.get_memory(0)
    for port, data in zip(ports, given):
        if port[4] == 0:
            memory[port[2] : port[2] + len(data)] = data
    if number <= resets:
        for address, count, initial in states:
            memory[address : address + count] = bytes([initial]) * count
    begin = time.perf_counter()
    failed = run(entry)
    seconds += time.perf_counter() - begin
    if failed:
        sys.exit(f"the kernels do not know the record at address {failed}")
    memory = runtime.get_memory(0)
    outputs += [bytes(memory[port[2] : port[2] + stored_bytes(port)]).hex() for port in ports[input_count:]]
print(seconds)
print("\n".join(outputs))
