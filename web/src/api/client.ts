import type * as z from 'zod/mini';
import { ApiError, codeOf, readRetryAfter } from './api-error.ts';
import { ProblemSchema, TokenSchema } from './schemas.ts';
import { getSession, type Session, setSession } from './session.ts';

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Sent as JSON, or as it is when it is a form. */
  readonly body?: object | FormData;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Lets the request outlive the page. */
  readonly keepalive?: boolean;
}

/**
 * One call of the API, as whoever is signed in; the answer is checked against `schema`.
 * @throws ApiError with the service's code; OFFLINE when there was no answer.
 */
export async function call<S extends z.ZodMiniType>(
  path: string,
  schema: S,
  request: ApiRequest = {},
): Promise<z.infer<S>> {
  const response = await send(path, request);
  const parsed = schema.safeParse(await readJson(response));
  if (!parsed.success)
    throw new ApiError(
      'INTERNAL',
      'The service gave an answer this page does not understand.',
      response.status,
    );
  return parsed.data;
}

/** One call whose answer does not matter. @throws ApiError */
export async function callVoid(path: string, request: ApiRequest = {}): Promise<void> {
  await send(path, request);
}

/**
 * An answer with a good status. A token that has run out is renewed once where demo identities are on;
 * otherwise the session ends.
 */
export async function send(path: string, request: ApiRequest = {}): Promise<Response> {
  const response = await attempt(path, request);
  if (response.ok) return response;
  const session = getSession();
  if (response.status === 401 && session !== null) {
    if (await renew(session)) {
      const again = await attempt(path, request);
      if (again.ok) return again;
      throw await toError(again);
    }
    setSession(null);
  }
  throw await toError(response);
}

/** A token of the development server. @throws ApiError NOT_FOUND where people sign in by LocalEx. */
export async function requestDemoToken(userId: string, roles: readonly string[]): Promise<string> {
  const response = await attempt('/dev/token', { method: 'POST', body: { sub: userId, roles } });
  if (!response.ok) throw await toError(response);
  return TokenSchema.parse(await readJson(response)).token;
}

async function attempt(path: string, request: ApiRequest): Promise<Response> {
  const token = getSession()?.token;
  const { body } = request;
  const isJson = body !== undefined && !(body instanceof FormData);
  try {
    return await fetch(path, {
      method: request.method ?? 'GET',
      headers: {
        accept: 'application/json',
        ...(isJson ? { 'content-type': 'application/json' } : {}),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...request.headers,
      },
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
      ...(request.signal ? { signal: request.signal } : {}),
      ...(request.keepalive ? { keepalive: true } : {}),
    });
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw new ApiError('OFFLINE', 'There is no connection to the service.');
  }
}

async function renew(session: Session): Promise<boolean> {
  try {
    setSession({ ...session, token: await requestDemoToken(session.userId, session.roles) });
    return true;
  } catch {
    return false;
  }
}

async function toError(response: Response): Promise<ApiError> {
  const parsed = ProblemSchema.safeParse(await readJson(response));
  const problem = parsed.success ? parsed.data : {};
  const message = problem.detail ?? problem.title ?? 'The service refused the request.';
  const wait = readRetryAfter(response.headers.get('retry-after'));
  return new ApiError(codeOf(problem.code, response.status), message, response.status, wait);
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null;
  }
}
