import { el, writeXml } from './xml.ts';

/** An error as the API answers it ("Common errors" and the errors of each action, CloudFront API Reference, 2020-05-31). */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  toXml(): string {
    const type = this.status >= 500 ? 'Receiver' : 'Sender';
    return writeXml(
      el(
        'ErrorResponse',
        el('Error', el('Type', type), el('Code', this.code), el('Message', this.message)),
        el('RequestId', 'b25f48e8-84fd-11e6-80d9-574e0c4664cb'),
      ),
    );
  }
}
