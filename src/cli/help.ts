/** What `thimble --help` prints. Options without a command before them are of all that plan a model, or of all. */
export const HELP = `thimble: int8 neural networks in a fixed, SRAM-sized memory

  thimble inspect MODEL              operators, every byte of SRAM, the memory map
  thimble run MODEL --input FILE     one inference; --input once for each input of the model
  thimble run MODEL FILE FILE …      as many inferences, a line each
  thimble diff MODEL MODEL           compare all that two models make; one MODEL: in two variants or schedules
  thimble bench MODEL                latency; --profile: of every step
  thimble compile MODEL -o IMAGE     write the compiled image; --target mcu -o DIR: write what firmware needs
  thimble operators                  what models may use
  thimble quantize FLOAT-MODEL SAMPLES.npy -o MODEL  float32 .tflite to int8, scales set by float32 samples; a .npy per input

MODEL is a .tflite file, or a .thimble image. FILE is .npy, .json (an array of numbers), or the tensor's bytes; .png or .jpg
where the input is a picture, .wav where it is the features of keywords.

  -i, --input FILE   run, diff: the values of an input
  -o, --output FILE  compile, quantize: what to write; with --target a folder
  --sram BYTES     plan for so much SRAM: 65536, 64K, 1.5M, unbounded (default 256K)
  --schedule NAME  auto: the fastest plan that fits (default); minimum: the fewest bytes; layer: whole layers
  --rows           give inputs row by row: they take no place in SRAM but the rows in use
  --max-recompute SHARE  extra MACs allowed where they save SRAM: 0.15 allows 15 %
  --variant NAME   mcu, simd, relaxed or signed (default: the fastest that this engine proves)
  --variant A,B    diff: the one and the other; --schedule A,B likewise
  --no-passes      compile the graph as the file has it
  --json           print JSON; of several runs an object a line
  --plan           inspect: the records, disassembled
  --svg FILE       inspect: draw the memory map over time; bench: the roofline of the steps
  --budget BYTES   inspect: does it fit so much SRAM, and what to change if not (exit code 1)
  --quantize       run, diff: FILE holds real numbers, to be quantised for int8 and int16 inputs
  --fit NAME       run, diff: pictures: crop: the middle (default); pad: all, on black; stretch: all, out of proportion
  --range RANGE    run, diff: pictures: 0..1, -1..1 or 0..255: what the model takes for black and white (default: by its quantisation)
  --labels FILE    run: a class name a line
  --top N          run: so many classes or values (default 5)
  --trace FILE     run: write every tensor, a JSON object a line: CRC-32, and the bytes in base64
  --target NAME    compile: mcu: image, kernels and C for wasm3; wasm2c: the kernels as C (needs wabt's wasm2c)
  --bundle         compile: image and kernels as one self-contained WebAssembly module
  --time MS        bench: how long to measure (default 1000)
  --profile        bench: time, MAC per cycle and share of the machine's limit of every step
  --help, --version

Exit codes: 0 done, 1 the model or a file is at fault, nothing fits --budget or models differ, 2 wrong usage, 70 a bug in thimble.`;
