/** The element of index.html with this id, which must be of this class. */
export function byId<E extends HTMLElement>(id: string, type: new () => E): E {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`index.html has no ${type.name} #${id}`);
}

/** An element with text or children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

/** Fills a `<dl>` with names and what they are. */
export function showFigures(list: HTMLElement, figures: Readonly<Record<string, string>>): void {
  list.replaceChildren(
    ...Object.entries(figures).map(([name, value]) =>
      element("div", "", element("dt", "", name), element("dd", "", value)),
    ),
  );
}

export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}

/** Milliseconds in the unit that suits them; "–" for what was not measured. */
export function duration(ms: number): string {
  if (Number.isNaN(ms)) return "–";
  if (ms < 0.9995) return `${(1e3 * ms).toFixed(ms < 0.01 ? 2 : 1)} µs`;
  return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
}
