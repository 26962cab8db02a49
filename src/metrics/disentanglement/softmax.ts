/** A linear classifier: multinomial logistic regression on standardised inputs. */

const STEPS = 150;
const RATE = 1;

interface Sizes {
  readonly width: number;
  readonly classes: number;
}

/** Learns from inputs [n, width] and answers; the result tells the class of one input. */
export function learnClasses(
  inputs: Float64Array,
  answers: Int32Array,
  { width, classes }: Sizes,
): (input: Float64Array) => number {
  const n = answers.length;
  const { mean, scale } = standards(inputs, width);
  const x = inputs.map((v, i) => (v - mean[i % width]!) * scale[i % width]!);
  const size = width + 1; // the last weight is the bias
  const weights = new Float64Array(classes * size);
  const [before, ahead, slope] = [weights.slice(), weights.slice(), weights.slice()];
  for (let step = 0; step < STEPS; step++) {
    const momentum = step / (step + 3); // Nesterov 1983
    for (let k = 0; k < ahead.length; k++) ahead[k] = weights[k]! + momentum * (weights[k]! - before[k]!);
    gradient(ahead, x, answers, { width, classes }, slope);
    before.set(weights);
    for (let k = 0; k < ahead.length; k++) weights[k] = ahead[k]! - (RATE * slope[k]!) / n;
  }
  return (input) => {
    const own = input.map((v, j) => (v - mean[j]!) * scale[j]!);
    const scores = Array.from({ length: classes }, (_, c) => score(weights, c, own, 0, width));
    return scores.indexOf(Math.max(...scores));
  };
}

function standards(inputs: Float64Array, width: number) {
  const n = inputs.length / width;
  const mean = new Float64Array(width);
  const square = new Float64Array(width);
  for (let i = 0; i < inputs.length; i++) {
    mean[i % width]! += inputs[i]! / n;
    square[i % width]! += inputs[i]! ** 2 / n;
  }
  const scale = square.map((s, j) => {
    const variance = s - mean[j]! ** 2;
    return variance > 1e-12 * s ? 1 / Math.sqrt(variance * width) : 0;
  });
  return { mean, scale };
}

/** Of the summed cross-entropy, into `out`. */
function gradient(
  weights: Float64Array,
  x: Float64Array,
  answers: Int32Array,
  { width, classes }: Sizes,
  out: Float64Array,
): void {
  const shares = new Float64Array(classes);
  out.fill(0);
  for (let i = 0; i < answers.length; i++) {
    const at = i * width;
    let total = 0;
    for (let c = 0; c < classes; c++) total += shares[c] = Math.exp(score(weights, c, x, at, width));
    for (let c = 0; c < classes; c++) {
      const error = shares[c]! / total - Number(answers[i] === c);
      const from = c * (width + 1);
      for (let j = 0; j < width; j++) out[from + j]! += error * x[at + j]!;
      out[from + width]! += error;
    }
  }
}

/** Of class c for the input at x[at …]. */
function score(weights: Float64Array, c: number, x: Float64Array, at: number, width: number): number {
  const from = c * (width + 1);
  let sum = weights[from + width]!;
  for (let j = 0; j < width; j++) sum += weights[from + j]! * x[at + j]!;
  return sum;
}
