"""Times models on wasm3, in turns with bare loops: usage wasm3_models.py ROUNDS LOOPS FOLDER:STACK_BYTES...

LOOPS is the compiled assembly/limits/interpreter.ts, FOLDER what `thimble compile --target mcu` wrote.
Prints a line for each loop, the seconds of a multiply-accumulate and its name, and for each folder the seconds of a run and the folder: the best
of ROUNDS.
"""

import pathlib
import sys
import time

sys.path.append(str(pathlib.Path(__file__).parents[2] / "test/mcu/engines"))
from wasm3_host import Model, stored_bytes, wasm3

LOOPS = ("pointwise", "depthwise", "matrixVector")

rounds, loops_path, *folders = sys.argv[1:]
environment = wasm3.Environment()
runtime = environment.new_runtime(1 << 16)
module = environment.parse_module(open(loops_path, "rb").read())
runtime.load(module)


def timed(loop):
    begin = time.perf_counter()
    loop(0)
    return time.perf_counter() - begin


models = []
for folder in folders:
    path, _, stack_bytes = folder.rpartition(":")
    model = Model(path, int(stack_bytes))
    model.give([bytes(stored_bytes(port)) for port in model.inputs])
    # wasm3 compiles a function when it is first called.
    model.run()
    models.append(model)

loops = [runtime.find_function(name) for name in LOOPS]
tasks = [lambda loop=loop: timed(loop) for loop in loops] + [model.run for model in models]
best = [float("inf")] * len(tasks)
for _ in range(int(rounds)):
    best = [min(least, task()) for least, task in zip(best, tasks)]
for name, seconds in zip(LOOPS, best):
    print(seconds / runtime.find_function(name + "Macs")(), name)
for folder, seconds in zip(folders, best[len(LOOPS) :]):
    print(seconds, folder.rpartition(":")[0])
