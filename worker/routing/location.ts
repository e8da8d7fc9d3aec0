/** A point on the earth, in degrees. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** The mean radius of the earth, km. */
const EARTH = 6371;

/** Great-circle distance by the haversine formula, km: good to half a percent, which is enough to rank by. */
export function distance(from: Place, to: Place): number {
  const [fromLatitude, toLatitude] = [radians(from.latitude), radians(to.latitude)];
  const a =
    haversine(toLatitude - fromLatitude) +
    Math.cos(fromLatitude) *
      Math.cos(toLatitude) *
      haversine(radians(to.longitude) - radians(from.longitude));
  // Rounding may bring antipodes a hair above 1.
  return 2 * EARTH * Math.asin(Math.sqrt(Math.min(a, 1)));
}

function haversine(angle: number): number {
  return Math.sin(angle / 2) ** 2;
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
