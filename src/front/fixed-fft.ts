import { FFT } from "./frames.ts";

/**
 * The transform of 512 real int16 as TensorFlow Lite Micro's front end has it, bit for bit: KISS FFT in Q15, a complex
 * transform of 256 points by radix 4 that scales by 1/4 in each of its four stages, and a last step that parts the spectra of the
 * even and the odd samples. Products are rounded, halves up; sums wrap.
 */
const HALF = FFT / 2;
const ONE = 32767;

/** ONE · e^(i phase), rounded halves up. */
function twiddles(count: number, phase: (i: number) => number): { cos: Int16Array; sin: Int16Array } {
  const rounded = (value: number): number => Math.floor(0.5 + ONE * value);
  return {
    cos: Int16Array.from({ length: count }, (_, i) => rounded(Math.cos(phase(i)))),
    sin: Int16Array.from({ length: count }, (_, i) => rounded(Math.sin(phase(i)))),
  };
}

/** x / 2¹⁵, rounded. */
function q15(x: number): number {
  return (x + 16384) >> 15;
}

export class FixedFft {
  readonly re = new Int16Array(HALF + 1);
  readonly im = new Int16Array(HALF + 1);
  readonly #re = new Int16Array(HALF);
  readonly #im = new Int16Array(HALF);
  readonly #turns = twiddles(HALF, (i) => (-2 * Math.PI * i) / HALF);
  readonly #halfTurns = twiddles(HALF / 2, (i) => -Math.PI * ((i + 1) / HALF + 0.5));

  /** The spectrum of `samples`, FFT int16, to `re` and `im`: FFT / 2 + 1 values, scaled by 1 / FFT. */
  transform(samples: Int16Array): void {
    for (let i = 0; i < HALF; i++) {
      // Base-4 digits in reverse order.
      const at = ((i & 3) << 6) | ((i & 12) << 2) | ((i & 48) >> 2) | (i >> 6);
      this.#re[at] = samples[2 * i] ?? 0;
      this.#im[at] = samples[2 * i + 1] ?? 0;
    }
    for (let length = 1; length < HALF; length *= 4) this.#stage(length);
    this.#split();
  }

  /** Joins four spectra of `length` points each, all along the data. */
  #stage(length: number): void {
    const [re, im, { cos, sin }] = [this.#re, this.#im, this.#turns];
    const stride = HALF / (4 * length);
    const quarter = Math.trunc(ONE / 4);
    const [x, y] = [
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ];
    for (let start = 0; start < HALF; start += 4 * length) {
      for (let k = 0; k < length; k++) {
        for (let leg = 0; leg < 4; leg++) {
          const at = start + k + leg * length;
          const a = q15((re[at] ?? 0) * quarter);
          const b = q15((im[at] ?? 0) * quarter);
          const [c, s] = [cos[leg * k * stride] ?? 0, sin[leg * k * stride] ?? 0];
          x[leg] = leg === 0 ? a : q15(a * c - b * s);
          y[leg] = leg === 0 ? b : q15(a * s + b * c);
        }
        const [x0 = 0, x1 = 0, x2 = 0, x3 = 0] = x;
        const [y0 = 0, y1 = 0, y2 = 0, y3 = 0] = y;
        const at = start + k;
        re[at] = x0 + x2 + (x1 + x3);
        im[at] = y0 + y2 + (y1 + y3);
        re[at + length] = x0 - x2 + (y1 - y3);
        im[at + length] = y0 - y2 - (x1 - x3);
        re[at + 2 * length] = x0 + x2 - (x1 + x3);
        im[at + 2 * length] = y0 + y2 - (y1 + y3);
        re[at + 3 * length] = x0 - x2 - (y1 - y3);
        im[at + 3 * length] = y0 - y2 + (x1 - x3);
      }
    }
  }

  /** The spectrum of the real samples from that of the pairs (even, odd) as complex numbers. */
  #split(): void {
    const { re, im } = this;
    const half = (x: number | undefined): number => q15((x ?? 0) * (ONE >> 1));
    const [r0, i0] = [half(this.#re[0]), half(this.#im[0])];
    re[0] = r0 + i0;
    re[HALF] = r0 - i0;
    im[0] = 0;
    im[HALF] = 0;
    for (let k = 1; k <= HALF / 2; k++) {
      const [a, b] = [half(this.#re[k]), half(this.#im[k])];
      const [c, d] = [half(this.#re[HALF - k]), half(-(this.#im[HALF - k] ?? 0))];
      const [cos, sin] = [this.#halfTurns.cos[k - 1] ?? 0, this.#halfTurns.sin[k - 1] ?? 0];
      const [p, q] = [a - c, b - d];
      const [x, y] = [q15(p * cos - q * sin), q15(p * sin + q * cos)];
      re[k] = (a + c + x) >> 1;
      im[k] = (b + d + y) >> 1;
      re[HALF - k] = (a + c - x) >> 1;
      im[HALF - k] = (y - (b + d)) >> 1;
    }
  }
}
