/** How p(x|z) answers to z: where its mean is, and how that moves with z. */
import {
  add,
  concat,
  gradients,
  input,
  mul,
  reshape,
  type Shape,
  stopGradient,
  sum,
  type Tensor,
} from '../graph/index.ts';
import type { Outputs } from './graphs.ts';
import type { BlockLikelihood, Vae } from './model.ts';

/**
 * z [B, Z] → `mean` of x, [B, …shape]; for rows also `deviation` of x, [B, D], 0 where the law is no Gaussian: a mean in the
 * data's own units depends on both where the scale between the two is not straight.
 */
export function responseGraph(vae: Vae): Outputs {
  const z = latents(vae);
  return response(vae, z);
}

/**
 * z, direction [B, Z] → the same with `meanSlope` and `deviationSlope`, how fast they change along the direction: the
 * Jacobian times a vector, in as many runs as z has dimensions whatever the size of x. Reverse mode gives Jᵀv, which is
 * linear in v, so that the gradient of Jᵀv · u with respect to v is Ju (Townsend 2017, "A new trick for calculating
 * Jacobian vector products").
 */
export function slopeGraph(vae: Vae): Outputs {
  const z = latents(vae);
  const direction = input('direction', z.shape);
  const values = response(vae, z);
  const slopes = Object.entries(values).map(([name, value]) => [`${name}Slope`, along(value, z, direction)]);
  return { ...values, ...Object.fromEntries(slopes) };
}

/** ∂value/∂z · direction, of the form of `value`. */
function along(value: Tensor, z: Tensor, direction: Tensor): Tensor {
  const v = stopGradient(value); // any value of this form will do
  const [pulled] = gradients(sum(mul(v, value)), [z]);
  return gradients(sum(mul(pulled!, direction)), [v])[0]!;
}

const latents = ({ spec }: Vae): Tensor => input('z', ['B', spec.latent]);

function response(vae: Vae, z: Tensor): Outputs {
  const { shape, latent } = vae.spec;
  const blocks = vae.decode(reshape(z, [1, 'B', latent]));
  const joined = (of: (block: BlockLikelihood) => Tensor) =>
    concat(
      blocks.map((block) => reshape(of(block), ['B', ...shape.slice(0, -1), block.size] as Shape)),
      -1,
    );
  const mean = joined(({ likelihood }) => likelihood.mean);
  if (shape.length > 1) return { mean };
  return {
    mean,
    deviation: joined(({ likelihood }) => add(mul(likelihood.mean, 0), likelihood.deviation ?? 0)),
  };
}
