/**
 * How many different buyers must name something dangerous before the photo is hidden until a moderator has looked,
 * where the policy says nothing else.
 */
export const HIDE_AFTER_REPORTERS = 3;

/** How many photos one person can report within an hour. */
export const REPORTS_AN_HOUR = 20;
