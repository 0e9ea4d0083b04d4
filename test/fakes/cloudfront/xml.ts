/** An element of a document: its text, or its children. */
export interface Element {
  readonly name: string;
  readonly children: readonly Element[];
  readonly text: string;
}

/** Reads a document without attributes that matter, comments or mixed content, as CloudFront's are. Throws on any other. */
export function parseXml(source: string): Element {
  const tokens = [
    ...source.replace(/^\s*<\?xml[^>]*\?>\s*/, '').matchAll(/<(\/?)([\w.-]+)[^>]*?(\/?)>|([^<]+)/g),
  ];
  let at = 0;
  const element = (): Element => {
    const [, closing, name = '', empty] = tokens[at++] ?? [];
    if (closing !== '' || name === '') throw new Error('Expected an element');
    const children: Element[] = [];
    let text = '';
    if (empty === '/') return { name, children, text };
    for (;;) {
      const token = tokens[at];
      if (token === undefined) throw new Error(`Expected </${name}>`);
      const [, isClosing, inner, , characters] = token;
      if (characters !== undefined) {
        text += characters;
        at++;
      } else if (isClosing === '/') {
        if (inner !== name) throw new Error(`Expected </${name}> but received </${inner}>`);
        at++;
        return { name, children, text: children.length > 0 ? '' : unescape(text) };
      } else children.push(element());
    }
  };
  const root = element();
  if (at < tokens.length && tokens.slice(at).some(([whole]) => whole.trim() !== ''))
    throw new Error('More than one document');
  return root;
}

export function writeXml({ name, children, text }: Element): string {
  return `<${name}>${children.length > 0 ? children.map(writeXml).join('') : escape(text)}</${name}>`;
}

export function el(name: string, ...content: readonly (Element | string | number | boolean)[]): Element {
  const children = content.filter((one) => typeof one === 'object');
  const text = content.filter((one) => typeof one !== 'object').join('');
  return { name, children, text };
}

/** The element at a path of names; undefined when one is missing. */
export function find(from: Element | undefined, ...path: readonly string[]): Element | undefined {
  return path.reduce<Element | undefined>(
    (at, name) => at?.children.find((child) => child.name === name),
    from,
  );
}

export function textAt(from: Element | undefined, ...path: readonly string[]): string | undefined {
  return find(from, ...path)?.text;
}

/** The texts of a list: `<Items><Path>a</Path><Path>b</Path></Items>`. */
export function itemsAt(from: Element | undefined, ...path: readonly string[]): readonly Element[] {
  return find(from, ...path, 'Items')?.children ?? [];
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
function unescape(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replaceAll(/&(#\d+|#x[\da-f]+|\w+);/gi, (_, name: string) =>
    name.startsWith('#')
      ? String.fromCodePoint(Number(name.replace(/^#x/i, '0x').replace('#', '')))
      : (named[name] ?? ''),
  );
}
