/** The standard normal distribution function and its inverse, to double precision. */
// biome-ignore-all lint/correctness/noPrecisionLoss: coefficients as published

const horner = (c: readonly number[], x: number): number => {
  let y = 0;
  for (let i = 0; i < c.length; i++) y = y * x + c[i]!;
  return y;
};

const CDF_P = [
  3.52624965998911e-2, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871,
  221.213596169931, 220.206867912376,
];
const CDF_Q = [
  8.83883476483184e-2, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674,
  637.333633378831, 793.826512519948, 440.413735824752,
];
const ROOT_2PI = Math.sqrt(2 * Math.PI);

/** Φ(z): Hart (1968), algorithm 5666, in the form of West (2005); absolute error below 1e-15. */
export function normalCdf(z: number): number {
  const a = Math.abs(z);
  const tail = a > 37 ? 0 : Math.exp(-0.5 * a * a) * tailRatio(a);
  return z > 0 ? 1 - tail : tail;
}

/** (1 − Φ(a)) / e^(−a²/2) */
function tailRatio(a: number): number {
  if (a < 7.07106781186547) return horner(CDF_P, a) / horner(CDF_Q, a);
  return 1 / (ROOT_2PI * (a + 1 / (a + 2 / (a + 3 / (a + 4 / (a + 0.65))))));
}

const CENTRE_P = [
  2.509080928730122672e3, 3.343057558358812810511e4, 6.726577092700870085267e4, 4.592195393154987145752e4,
  1.373169376550946112513e4, 1.971590950306551442797e3, 1.331416678917843774531e2, 3.387132872796366608,
];
const CENTRE_Q = [
  5.226495278852545925e3, 2.8729085735721942674e4, 3.930789580009271061e4, 2.121379430158659586e4,
  5.394196021424751108e3, 6.871870074920579083e2, 4.231333070160091077e1, 1,
];
const MIDDLE_P = [
  7.7454501427834140764e-4, 2.27238449892691845833e-2, 2.4178072517745061177e-1, 1.27045825245236838258,
  3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734,
];
const MIDDLE_Q = [
  1.05075007164441684324e-9, 5.475938084995344946e-4, 1.51986665636164571966e-2, 1.4810397642748007459e-1,
  6.8976733498510000455e-1, 1.6763848301838038494, 2.05319162663775882187, 1,
];
const FAR_P = [
  2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.2426609473880784386e-3, 2.6532189526576123093e-2,
  2.9656057182850489123e-1, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772,
];
const FAR_Q = [
  2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
  1.48753612908506148525e-2, 1.3692988092273580531e-1, 5.9983220655588793769e-1, 1,
];

/** Φ⁻¹(p) for p in (0, 1): Wichura (1988), algorithm AS 241 (PPND16), relative error about 1e-16. */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * horner(CENTRE_P, r)) / horner(CENTRE_Q, r);
  }
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  const z =
    r <= 5
      ? horner(MIDDLE_P, r - 1.6) / horner(MIDDLE_Q, r - 1.6)
      : horner(FAR_P, r - 5) / horner(FAR_Q, r - 5);
  return q < 0 ? -z : z;
}
