/** A point on the earth, in degrees. */
export interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

/** The mean radius of the earth, km. */
const EARTH_RADIUS = 6371;

/** Great-circle distance by the haversine formula, km. Its error of half a percent does not matter for a ranking. */
export function distance(from: Coordinates, to: Coordinates): number {
  const [fromLatitude, toLatitude] = [radians(from.latitude), radians(to.latitude)];
  const a =
    haversine(toLatitude - fromLatitude) +
    Math.cos(fromLatitude) *
      Math.cos(toLatitude) *
      haversine(radians(to.longitude) - radians(from.longitude));
  // Rounding may put antipodes slightly above 1.
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(Math.min(a, 1)));
}

function haversine(angle: number): number {
  return Math.sin(angle / 2) ** 2;
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
