/** Something the user can mend: the command line prints the message alone and exits with code 2. */
export class UserError extends Error {
  override readonly name = 'UserError';
}
