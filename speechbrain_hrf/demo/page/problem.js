/* An error whose text is meant for the reader of the page.

Authors
 * The speechbrain_hrf authors 2026
*/

export class Problem extends Error {}

/** What to tell the reader about any error. */
export function told(error) {
  if (error instanceof Problem) return error.message;
  return (
    "Something went wrong that this page does not know: " +
    `${error?.message ?? error}`
  );
}
