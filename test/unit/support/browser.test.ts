import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { browserPath } from '#test/support/browser.ts';

it('takes the browser that was asked for', () => {
  expect(browserPath(process.execPath)).toBe(process.execPath);
});

it('refuses a browser that is not there, rather than take another', () => {
  expect(() => browserPath('/no/such/browser')).toThrow('Expected a program at /no/such/browser');
});

it.skipIf(!existsSync('/usr/bin/chromium'))("finds Debian's Chromium", () => {
  expect(browserPath()).toBe('/usr/bin/chromium');
});
