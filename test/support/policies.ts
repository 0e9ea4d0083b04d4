import { fileURLToPath } from 'node:url';

const path = (name: string) => fileURLToPath(new URL(`../fixtures/policies/${name}.json`, import.meta.url));

/** Settings under which every photo waits for a person. */
export const DOUBT_ALL = { MODERATION_POLICY_FILE: path('doubt-all') };
/** Settings under which every photo is refused by machine. */
export const REJECT_ALL = { MODERATION_POLICY_FILE: path('reject-all') };
