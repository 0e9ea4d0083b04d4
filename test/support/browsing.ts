import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { z } from 'zod';
import { browserPath } from './browser.ts';

/** The system's Chromium; tests that need it are skipped where this is undefined. */
export const BROWSER = browserPath(process.env['BROWSER_PATH']);

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Ten large photos on a busy machine with two cores. */
const PATIENCE_MS = 90_000;

export interface Browsing {
  readonly page: Page;
  /** Errors in the console, uncaught errors, and what the content security policy has blocked. */
  readonly complaints: string[];
  /** Every host that was asked for something. */
  readonly hosts: Set<string>;
  close(): Promise<void>;
}

export interface Look {
  readonly width?: number;
  readonly scheme?: 'light' | 'dark';
  readonly touch?: boolean;
}

/** A browser with a profile of its own, on the pages of a service at `url`. */
export async function openBrowser(url: string, look: Look = {}): Promise<Browsing> {
  const profile = await mkdtemp(path.join(tmpdir(), 'localex-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    ...(BROWSER === undefined ? {} : { executablePath: BROWSER }),
    args: FLAGS,
    baseURL: url,
    viewport: { width: look.width ?? 1440, height: 900 },
    colorScheme: look.scheme ?? 'light',
    hasTouch: look.touch ?? false,
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(30_000);
  const page = context.pages()[0] ?? (await context.newPage());
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol.startsWith('http')) hosts.add(host);
  });
  return {
    page,
    complaints,
    hosts,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export async function signIn(
  page: Page,
  name: 'Demo seller' | 'Demo buyer' | 'Demo moderator',
): Promise<void> {
  await page.goto('/sign-in');
  await page.getByRole('button', { name }).click();
  await page.waitForURL((url) => url.pathname !== '/sign-in');
}

/** Creates a listing by hand and leaves its page open. Returns its id. */
export async function createListing(page: Page, title: string): Promise<string> {
  await page.goto('/sell');
  await page.getByRole('button', { name: 'New listing' }).click();
  await page.getByLabel('What is it?').fill(title);
  await page.getByRole('button', { name: 'Create and add photos' }).click();
  await page.getByRole('heading', { name: title, level: 1 }).waitFor();
  return new URL(page.url()).pathname.split('/').at(-1) ?? '';
}

/** Resolves once the listing page shows so many photos, all of them settled: ready, or `status` where that is given. */
export async function untilPhotos(page: Page, count: number, status: string | null = null): Promise<void> {
  await until(async () => {
    const tiles = await page.locator('.tile').count();
    const states = await page.locator('.tile__status').allInnerTexts();
    const wanted = status === null ? 0 : count;
    return tiles === count && states.length === wanted && states.every((text) => text.trim() === status);
  });
}

/** Asks again and again until the answer is yes. Unlike Playwright's own it evaluates nothing in the page. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Expected it to come true within ${PATIENCE_MS / 1000} s`);
    await pause(50);
  }
}

const Violations = z.array(z.object({ id: z.string(), targets: z.array(z.string()) }));

/** Runs axe on the page once its colours stand. It is evaluated by the debugger, which the content policy does not hinder. */
export async function expectAccessible(page: Page): Promise<void> {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const found: unknown = await page.evaluate(`(async () => {
    ${source};
    const transitions = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
    await Promise.allSettled(transitions.map(({ finished }) => finished));
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations.map(({ id, nodes }) => ({ id, targets: nodes.map(({ html }) => html.slice(0, 200)) }));
  })()`);
  expect(Violations.parse(found)).toEqual([]);
}

/** No page is wider than its window. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const excess: unknown = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  expect(excess).toBeLessThanOrEqual(0);
}
