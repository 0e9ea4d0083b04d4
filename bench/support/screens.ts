import { chromium } from 'playwright-core';
import { BROWSER } from '#test/support/browsing.ts';

/** Screens that a browser draws, as phones and computers save them. None where there is no browser. */
export async function screenshots(photo: Buffer): Promise<readonly { name: string; bytes: Buffer }[]> {
  if (BROWSER === undefined) return [];
  const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const shots: { name: string; bytes: Buffer }[] = [];
    for (const { device, width, height, scale } of DEVICES)
      for (const scheme of ['light', 'dark'] as const) {
        const context = await browser.newContext({
          viewport: { width, height },
          deviceScaleFactor: scale,
          colorScheme: scheme,
        });
        const page = await context.newPage();
        for (const [name, body] of Object.entries(bodies(photo))) {
          await page.setContent(`<!doctype html><meta charset="utf-8"><style>${STYLE}</style>${body}`);
          shots.push({
            name: `${name}, ${device}, ${scheme}`,
            bytes: await page.screenshot({ type: 'png' }),
          });
        }
        await context.close();
      }
    return shots;
  } finally {
    await browser.close();
  }
}

const DEVICES = [
  { device: 'phone', width: 390, height: 844, scale: 3 },
  { device: 'computer', width: 1280, height: 800, scale: 1 },
];

const STYLE = `:root{color-scheme:light dark}
body{margin:0;font:16px/1.4 sans-serif;background:light-dark(#fff,#111);color:light-dark(#111,#eee)}
header,footer{padding:14px;background:light-dark(#eee,#222);border-bottom:1px solid light-dark(#ccc,#444)}
footer{position:fixed;bottom:0;left:0;right:0;display:flex;justify-content:space-around}
li{list-style:none;padding:14px;border-bottom:1px solid light-dark(#ddd,#333)}ul{margin:0;padding:0}
.card{margin:14px;padding:14px;border:1px solid light-dark(#ddd,#333);border-radius:10px;background:light-dark(#f7f7f7,#1a1a1a)}
.me,.you{margin:8px 14px;padding:10px 14px;border-radius:16px;width:60%;background:light-dark(#e5e5ea,#333)}
.me{margin-left:auto;background:#2f7df6;color:#fff}
button{padding:10px 18px;border:0;border-radius:8px;background:#1c6b55;color:#fff}
table{border-collapse:collapse;width:100%}td,th{border:1px solid light-dark(#ccc,#444);padding:6px}
img{width:100%;display:block}`;

const WORDS =
  'The seller says it is barely used and comes from a home without pets or smoke. Pick up in the evening, or at the weekend after ten. ';

function bodies(photo: Buffer): Readonly<Record<string, string>> {
  const source = `data:image/jpeg;base64,${photo.toString('base64')}`;
  const items = (count: number, text: (at: number) => string) =>
    Array.from({ length: count }, (_, at) => text(at)).join('');
  return {
    'an article': `<header>News</header><div style="padding:14px"><h1>What sells in autumn</h1>${items(8, () => `<p>${WORDS}</p>`)}</div>`,
    'a chat': `<header>Anna</header>${items(14, (at) => `<p class="${at % 3 === 0 ? 'me' : 'you'}">${WORDS.slice(0, 20 + ((at * 37) % 100))}</p>`)}<footer>Message</footer>`,
    settings: `<header>Settings</header><ul>${items(12, (at) => `<li>Option ${at + 1} <span style="float:right">On</span></li>`)}</ul>`,
    'a table': `<header>Prices</header><table>${items(24, (at) => `<tr><td>${at + 1}</td><td>Oak chair</td><td>${at * 7} €</td><td>yesterday</td></tr>`)}</table>`,
    'a form': `<header>Sign in</header><div class="card"><p>Name</p><input><p>Password</p><input><p><button>Go on</button></p></div><footer>Help</footer>`,
    'a listing with its photo': `<header>Marketplace</header><div class="card"><img src="${source}"><h2>Lake view, 40 €</h2><p>${WORDS}</p><button>Buy</button></div><footer><span>Home</span><span>Sell</span></footer>`,
    'a photo in full': `<header>Photo 1 of 4</header><img src="${source}"><footer><span>Share</span><span>Delete</span></footer>`,
  };
}
