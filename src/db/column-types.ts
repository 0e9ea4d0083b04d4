import type { ColumnType, JSONColumnType } from 'kysely';

/** bigint columns: read as number (`connect` parses them; all are sizes and counters below 2^53). */
export type BigInt8 = number;
export type Timestamp = ColumnType<Date, Date | string, Date | string>;
export type CreatedAt = ColumnType<Date, Date | string | undefined, Date | string>;
export type Json<T extends object> = JSONColumnType<T>;
export type NullableJson<T extends object> = ColumnType<T | null, string | null | undefined, string | null>;
