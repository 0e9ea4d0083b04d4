/** An error as the JSON 1.1 protocol has it. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }

  toJson(): string {
    return JSON.stringify({ __type: this.code, Message: `${this.code}.` });
  }
}
