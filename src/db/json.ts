/** Text for a jsonb column: pg would send a JavaScript array as a PostgreSQL array. */
export function jsonText(value: object): string {
  return JSON.stringify(value);
}
