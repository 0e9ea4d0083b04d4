import { everybody, type Row } from './row.ts';

/** What needs no token, and addresses that are signed. */
export const SYSTEM: readonly Row[] = [
  { operation: 'getHealth', call: () => ({ path: '/healthz' }), expected: everybody(200) },
  { operation: 'getReadiness', call: () => ({ path: '/readyz' }), expected: everybody(200) },
  {
    operation: 'createDevelopmentToken',
    call: () => ({ path: '/dev/token', json: { sub: 'x', roles: [] } }),
    expected: everybody(200),
  },
  {
    operation: 'getSignedObject',
    about: 'forged',
    call: ({ photo }) => ({ path: `/store/items/${photo}?expires=9999999999&signature=forged` }),
    expected: everybody(403),
  },
  {
    operation: 'getCdnObject',
    about: 'not public',
    call: ({ reviewed }) => ({ path: `/cdn/quarantine/raw/${reviewed}` }),
    expected: everybody(404),
  },
  {
    operation: 'getCdnObject',
    about: 'the audit ledger',
    call: () => ({ path: '/cdn/audit/anchors/0000000000000001.json' }),
    expected: everybody(404),
  },
];
