/** Making elements without ever parsing HTML. */

type Properties = Record<string, string | boolean | number | ((event: Event) => void) | undefined>;

/** An element; properties that begin with `on` are listeners, `true` is an empty attribute, `false` none. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Properties = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === 'function') {
      made.addEventListener(key.slice(2), value);
    } else if (value !== undefined && value !== false) {
      made.setAttribute(key, value === true ? '' : String(value));
    }
  }
  made.append(...children);
  return made;
}

/** A button with words for its label. */
export function button(label: string, press: () => void, properties: Properties = {}): HTMLButtonElement {
  return element('button', { type: 'button', onclick: press, ...properties }, label);
}
