import { describe, expect, test } from 'vitest';
import { loadConfig } from '#src/config/index.ts';
import { isStorageError } from '#src/domain/errors.ts';

const CLOUDFRONT = {
  CDN_DRIVER: 'cloudfront',
  CDN_URL: 'https://cdn.example.com',
  CLOUDFRONT_DISTRIBUTION_ID: 'E2QWRUHAPOMQZL',
  CLOUDFRONT_KEY_PAIR_ID: 'K2JCJMDEHXQW5F',
  CLOUDFRONT_PRIVATE_KEY_FILE: '/etc/localex/cloudfront.pem',
};

function refusal(env: Record<string, string>): string {
  try {
    loadConfig(env);
    return '';
  } catch (error) {
    if (isStorageError(error, 'INVALID_CONFIGURATION')) return error.message;
    throw error;
  }
}

describe('the settings of the CDN', () => {
  test('choose CloudFront with all that it needs', () => {
    const { cdn } = loadConfig(CLOUDFRONT);
    expect(cdn.driver).toBe('cloudfront');
    expect(cdn.cloudfront).toEqual({
      distributionId: 'E2QWRUHAPOMQZL',
      keyPairId: 'K2JCJMDEHXQW5F',
      privateKeyFile: '/etc/localex/cloudfront.pem',
      endpoint: null,
    });
    for (const name of Object.keys(CLOUDFRONT).slice(1))
      expect(refusal({ ...CLOUDFRONT, [name]: '' }), name).toContain(name);
  });

  test('say where its access log is delivered, by day', () => {
    const place = 's3://logs-1/cloudfront/AWSLogs/111122223333/CloudFront/{yyyy}/{MM}/{dd}/';
    expect(loadConfig({ ...CLOUDFRONT, CLOUDFRONT_LOGS: place }).cdn.logs).toEqual({
      bucket: 'logs-1',
      prefix: 'cloudfront/AWSLogs/111122223333/CloudFront/{yyyy}/{MM}/{dd}/',
    });
    expect(
      loadConfig({ ...CLOUDFRONT, CLOUDFRONT_LOGS: 's3://logs-1/E2Q.{yyyy}-{MM}-{dd}' }).cdn.logs,
    ).toEqual({ bucket: 'logs-1', prefix: 'E2Q.{yyyy}-{MM}-{dd}' });
    for (const wrong of ['logs-1', 's3://logs-1', 's3://logs-1/{yyyy}/{MM}', 's3://Logs/{yyyy}{MM}{dd}{dd}'])
      expect(refusal({ ...CLOUDFRONT, CLOUDFRONT_LOGS: wrong }), wrong).toContain('CLOUDFRONT_LOGS');
    expect(refusal({ CLOUDFRONT_LOGS: place })).toMatch(/CLOUDFRONT_LOGS.*counts views by itself/);
  });

  test('refuse CloudFront without TLS', () => {
    const message = refusal({ ...CLOUDFRONT, CDN_URL: 'http://cdn.example.com' });
    expect(message).toMatch(/CDN_URL.*https:\/\//);
  });

  test('want a bucket for CloudFront to serve, in production', () => {
    const message = refusal({ ...CLOUDFRONT, NODE_ENV: 'production' });
    expect(message).toMatch(/STORAGE_DRIVER.*serves a bucket/);
    expect(refusal({ ...CLOUDFRONT, NODE_ENV: 'production', STORAGE_DRIVER: 's3' })).not.toContain(
      'serves a bucket',
    );
  });

  test('name countries, in one list or the other', () => {
    expect(loadConfig({}).cdn.geo).toEqual({ kind: 'everywhere' });
    const env = { TRUST_PROXY: '1' };
    expect(loadConfig({ ...env, CDN_GEO_ALLOW: 'de, at,DE' }).cdn.geo).toEqual({
      kind: 'only',
      countries: ['DE', 'AT'],
    });
    expect(loadConfig({ ...env, CDN_GEO_DENY: 'KP' }).cdn.geo).toEqual({ kind: 'except', countries: ['KP'] });
    expect(refusal({ ...env, CDN_GEO_ALLOW: 'DE', CDN_GEO_DENY: 'KP' })).toContain('CDN_GEO_DENY');
    for (const wrong of ['UK', 'Germany', 'DE;AT', 'DE,', '*'])
      expect(refusal({ ...env, CDN_GEO_ALLOW: wrong }), wrong).toContain('CDN_GEO_ALLOW');
  });

  test('want a proxy that names the country, before the edge', () => {
    expect(refusal({ CDN_GEO_ALLOW: 'DE' })).toContain('TRUST_PROXY');
    expect(refusal({ ...CLOUDFRONT, CDN_GEO_ALLOW: 'DE' })).toBe('');
  });

  test('place this machine', () => {
    expect(loadConfig({ EDGE_LOCATION: '52.52, 13.4' }).cdn.edgeLocation).toEqual({
      latitude: 52.52,
      longitude: 13.4,
    });
    expect(loadConfig({ EDGE_LOCATION: '-33.9,151.2' }).cdn.edgeLocation?.latitude).toBe(-33.9);
    expect(loadConfig({}).cdn.edgeLocation).toBeNull();
    for (const wrong of ['52', '52,', '91,0', '0,181', 'a,b', '1,2,3', '1e1,2'])
      expect(refusal({ EDGE_LOCATION: wrong }), wrong).toContain('EDGE_LOCATION');
  });

  test('name the field of the country in lower case, as it is looked up', () => {
    expect(loadConfig({}).cdn.countryHeader).toBe('cloudfront-viewer-country');
    expect(refusal({ CDN_COUNTRY_HEADER: 'x country' })).toContain('CDN_COUNTRY_HEADER');
  });
});
