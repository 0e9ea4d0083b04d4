import { describe, expect, it } from 'vitest';
import { contactsIn, findContacts } from '#src/domain/contacts.ts';
import { codeFacts } from '#src/domain/printed-codes.ts';

const kinds = (text: string) => contactsIn(text).map(({ kind }) => kind);

describe('a way to reach somebody', () => {
  it.each([
    ['Call 07700 900123'],
    ['Call07700900123n0w'],
    ['Cal107700900123'],
    ['O77OO 9OO l23'],
    ['+44 (0)7700 900-123'],
    ['Tel: 900 123'],
    ['0171/1234567'],
    ['(212) 555-0123'],
    ['WhatsApp 0049 170 1234567'],
  ])('is a phone number: %s', (text) => {
    expect(kinds(text)).toEqual(['phone']);
  });

  it.each([
    ['jane.doe@example.com'],
    ['mailjane.doe@example.com'],
    ['jane © example . com'],
    ['jane.doe (at) example (dot) com'],
    ['j_doe99@mail.example.co.uk'],
  ])('is an e-mail address, and nothing else: %s', (text) => {
    expect(kinds(text)).toEqual(['email']);
  });

  it.each([
    ['www.my-shop.co.uk/deals'],
    ['wwww.my-shop.co.uk/deals'],
    ['https://t.me/jane_doe'],
    ['wa.me/447700900123'],
    ['jane-sells.shop'],
  ])('is an address in the web, and nothing else: %s', (text) => {
    expect(kinds(text)).toEqual(['url']);
  });

  it.each([
    ['1.299,00 EUR'],
    ['12.03.2024'],
    ['2024-11-24'],
    ['1998-2004'],
    ['5 012345 678900'],
    ['ISBN 978-3-16-148410-0'],
    ['1920 x 1080'],
    ['SN 4711 0815'],
    ['12345678'],
    ['size 38/40/42'],
    ['No. 10 Downing St.'],
    ['hello.world'],
    ['Made in 1984'],
  ])('is not: %s', (text) => {
    expect(kinds(text)).toEqual([]);
  });
});

const at = (left: number, top: number, width = 0.2, height = 0.05) => ({ left, top, width, height });

describe('in a photo', () => {
  it('a number in pieces of one row is one, with the place of all of it', () => {
    const found = findContacts([
      { text: '900123', confidence: 0.8, region: at(0.32, 0.51) },
      { text: 'Call 07700', confidence: 0.9, region: at(0.1, 0.5) },
      { text: 'Nice bike', confidence: 0.9, region: at(0.1, 0.7) },
    ]);
    expect(found).toMatchObject([{ kind: 'phone', confidence: 0.8, masked: '077…23' }]);
    expect(found[0]?.region.left).toBe(0.1);
    expect(found[0]?.region.width).toBeCloseTo(0.42);
  });

  it('what may be something else counts for less', () => {
    const of = (text: string) => findContacts([{ text, confidence: 1, region: at(0, 0) }])[0]?.confidence;
    expect(of('www.brand.com')).toBe(1);
    expect(of('brand.com')).toBeLessThan(0.7);
    expect(of('123 456 789')).toBeLessThan(0.7);
  });

  it('is kept masked', () => {
    const text = 'jane.doe@example.com 07700900123 https://wa.me/447700900123';
    const masked = findContacts([{ text, confidence: 1, region: at(0, 0) }]).map((contact) => contact.masked);
    expect(masked).toEqual(['j…@…', 'wa.me/…', '077…23']);
  });
});

describe('a code', () => {
  it.each([
    ['QRCode', 'https://wa.me/447700900123', 'qr', 'url', 'wa.me/…'],
    ['QRCode', 'WIFI:T:WPA;S:home;P:secret;;', 'qr', 'wifi', ''],
    ['QRCode', 'BEGIN:VCARD\nFN:Jane', 'qr', 'contact', ''],
    ['QRCode', 'tel:+447700900123', 'qr', 'phone', ''],
    ['QRCode', 'call me 07700 900123', 'qr', 'phone', ''],
    ['QRCode', 'BCD\n002\n1\nSCT', 'qr', 'payment', ''],
    ['DataMatrix', 'part 17', 'qr', 'text', ''],
    ['EAN13', '5012345678900', 'barcode', 'product', ''],
    ['Code128', 'AB-17', 'barcode', 'text', ''],
  ])('%s with %j is known by kind, and its content is not kept', (format, text, label, content, masked) => {
    expect(codeFacts(format, text)).toEqual({ label, content, masked });
  });
});
