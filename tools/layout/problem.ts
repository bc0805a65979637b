/** One thing that is not where or what it should be. */
export interface Problem {
  /** From the root of the repository. */
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}
