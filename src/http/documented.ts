import type { SwaggerTransform } from '@fastify/swagger';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';

declare module 'fastify' {
  interface FastifySchema {
    /** Header fields that a client may send. */
    sends?: readonly RequestHeader[];
    /** Successes, where their schema does not tell all. */
    answers?: Readonly<Record<number, Answer>>;
  }
}

interface Answer {
  readonly description?: string;
  readonly headers?: readonly AnswerHeader[];
  /** Media type of a body that is not JSON; null where there is none. */
  readonly content?: string | null;
}

const REQUEST_HEADERS = {
  'Idempotency-Key':
    'Of 1 to 255 printable characters; the same request may be repeated with it for 24 hours.',
  Prefer: '`wait=N` waits so many seconds (default 10, at most 60); `respond-async` does not wait.',
  'If-Match': 'The version that is to be changed, as in "7"; another one is 412.',
  'If-None-Match': 'The ETag that is known already; when it still holds the answer is 304.',
  'Tus-Resumable': 'Always 1.0.0.',
  'Upload-Offset': 'Where these bytes begin.',
  Accept: 'Chooses the format of `.auto`: WebP where it is named, else JPEG.',
  Range: 'A part, as in `bytes=0-999`.',
} as const;
type RequestHeader = keyof typeof REQUEST_HEADERS;
const REQUIRED: readonly RequestHeader[] = ['Tus-Resumable', 'Upload-Offset'];

const ANSWER_HEADERS = {
  ETag: 'Names this version.',
  Location: 'Where to find it.',
  'Retry-After': 'Seconds to wait before asking again.',
  'Preference-Applied': 'What was honoured of Prefer.',
  'Content-Disposition': 'Always an attachment.',
  'Upload-Offset': 'How many bytes are here.',
  'Upload-Length': 'How many there will be.',
  'Tus-Resumable': 'Always 1.0.0.',
} as const;
type AnswerHeader = keyof typeof ANSWER_HEADERS;

/** What routes that take a file have in common. */
export const UPLOAD_ANSWERS = {
  201: { description: 'The photo.', headers: ['Location', 'Preference-Applied'] },
  202: {
    description: 'The photo, on which work goes on: look again at Location.',
    headers: ['Location', 'Retry-After', 'Preference-Applied'],
  },
} as const satisfies Record<number, Answer>;

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  200: 'What was asked for.',
  201: 'It was made.',
  202: 'Work on it goes on.',
  204: 'Done.',
  304: 'Unchanged.',
};
const WITH_RETRY_AFTER = ['429', '503'];

/** Completes what the schemas of a route say with what they cannot: header fields, streams and sentences. */
export const documentRoute: SwaggerTransform = (route) => {
  const { schema, url } = jsonSchemaTransform(route);
  const { sends, answers, ...rest } = schema;
  if (route.schema?.hide === true) return { schema: rest, url };
  return {
    url,
    schema: {
      ...rest,
      ...(route.schema?.consumes?.includes('multipart/form-data') === true && { body: FILE_BODY }),
      ...(sends !== undefined && { headers: requestHeaders(sends) }),
      response: documentedAnswers(rest.response, answers ?? {}),
    },
  };
};

const FILE_BODY = {
  type: 'object',
  required: ['file'],
  properties: {
    file: { type: 'string', format: 'binary', description: 'The file, as the last field.' },
  },
};

/** Fields of a request as parameters. */
function requestHeaders(names: readonly RequestHeader[]) {
  return {
    type: 'object',
    required: names.filter((name) => REQUIRED.includes(name)),
    properties: Object.fromEntries(
      names.map((name) => [name, { type: 'string', description: REQUEST_HEADERS[name] }]),
    ),
  };
}

const Responses = z.record(z.string(), z.looseObject({})).default({});

function documentedAnswers(response: unknown, answers: Readonly<Record<string, Answer>>): object {
  const described = Responses.parse(response);
  const successes = new Set([...Object.keys(described), ...Object.keys(answers)]);
  return Object.fromEntries(
    [...successes].toSorted().map((status) => [status, answerOf(status, described[status], answers[status])]),
  );
}

function answerOf(status: string, schema: Record<string, unknown> | undefined, answer: Answer = {}): object {
  const isProblem = schema?.['content'] !== undefined;
  const retryAfter = isProblem && WITH_RETRY_AFTER.includes(status) ? RETRY_AFTER : [];
  const named = [...(answer.headers ?? []), ...retryAfter];
  const headers = Object.fromEntries(
    named.map((name) => [name, { type: 'string', description: ANSWER_HEADERS[name] }]),
  );
  const common = {
    description: answer.description ?? DESCRIPTIONS[status] ?? schema?.['description'] ?? '',
    ...(named.length > 0 && { headers }),
  };
  if (isProblem) return { ...schema, ...common };
  if (answer.content === null || schema?.['type'] === 'null') return { type: 'null', ...common };
  const body = answer.content === undefined ? (schema ?? {}) : BINARY;
  return { ...common, content: { [answer.content ?? 'application/json']: { schema: body } } };
}

const RETRY_AFTER = ['Retry-After'] as const;
const BINARY = { type: 'string', format: 'binary' };
