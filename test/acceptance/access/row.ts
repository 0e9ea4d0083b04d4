/** Who calls: each with a token of its own, and things of its own, so that it is an owner of something. */
export const CALLERS = ['nobody', 'owner', 'seller', 'plain', 'moderator', 'admin', 'service'] as const;
export type Caller = (typeof CALLERS)[number];

/** What the calls are about. All of it belongs to `owner`. */
export interface Subjects {
  readonly item: string;
  readonly draft: string;
  /** Public. */
  readonly photo: string;
  /** Waits for a moderator. */
  readonly reviewed: string;
  readonly document: string;
  /** Reserved by `owner`, nothing sent. */
  readonly reserved: string;
  /** A photo, a document and a listing that may be destroyed: another one for each call. */
  readonly doomedPhoto: () => Promise<string>;
  readonly doomedDocument: () => Promise<string>;
  readonly doomedItem: () => Promise<string>;
  /** A resumable upload that `owner` has begun. */
  readonly begun: () => Promise<string>;
}

export interface Call {
  readonly path: string;
  readonly json?: unknown;
  /** A file that every upload route refuses by its bytes, once it knows that its sender may send one. */
  readonly file?: true;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Row {
  /** `operationId` of the OpenAPI document. */
  readonly operation: string;
  /** What tells rows of one operation apart. */
  readonly about?: string;
  readonly call: (subjects: Subjects) => Call | Promise<Call>;
  /** Statuses by caller. */
  readonly expected: Readonly<Record<Caller, number>>;
}

/** `ok` to those named, `otherwise` to the others; who has no token is told to get one unless the route is open. */
export function only(ok: number, who: readonly Caller[], otherwise: number, nobody = 401): Row['expected'] {
  const statusOf = (caller: Caller) => (who.includes(caller) ? ok : caller === 'nobody' ? nobody : otherwise);
  return {
    nobody: statusOf('nobody'),
    owner: statusOf('owner'),
    seller: statusOf('seller'),
    plain: statusOf('plain'),
    moderator: statusOf('moderator'),
    admin: statusOf('admin'),
    service: statusOf('service'),
  };
}
export const everybody = (status: number) => only(status, CALLERS, status);
export const withToken = (status: number) => only(status, CALLERS.slice(1), status);
export const admins = (status: number) => only(status, ['admin'], 403);
export const staff = (status: number) => only(status, ['moderator', 'admin'], 403);
