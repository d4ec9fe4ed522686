/** What progress needs of stderr. */
interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** A line that shows how far long work is, on a terminal alone, without colours. */
export class Progress {
  readonly #terminal: Terminal;
  #shown = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(text: string): void {
    if (this.#terminal.isTTY !== true) return;
    this.clear();
    this.#terminal.write(text);
    this.#shown = text.length;
  }

  /** Before anything else is written. */
  clear(): void {
    if (this.#shown > 0) this.#terminal.write(`\r${" ".repeat(this.#shown)}\r`);
    this.#shown = 0;
  }
}
