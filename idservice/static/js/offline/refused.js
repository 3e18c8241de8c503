// What is refused, by the code that the Python reader of the same format gives it.
export class Refused extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}
