/*
 * service_colors.js - a colour for each service, in order of appearance.
 *
 * Not by hash: with 20 colours, six hashed services share one more often than not (the birthday
 * problem), while in order the first 20 all differ.
 */

/** As many as there are --service-N in css/tokens.css. */
export const SERVICE_COLOR_COUNT = 20;

/** @returns {(service: string) => number} the number of a service's colour */
export function makeServiceColors() {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return (service) => {
    let color = seen.get(service);
    if (color === undefined) {
      color = seen.size % SERVICE_COLOR_COUNT;
      seen.set(service, color);
    }
    return color;
  };
}
