/**
 * log p of every likelihood from SciPy 1.17 and, where that loses digits, mpmath 1.3: at usual and at extreme parameters.
 * One without an entry does not compile.
 */
import type { LikelihoodName } from '../../src/vae/index.ts';

export interface Known {
  readonly options?: Readonly<Record<string, number | string>>;
  /** What the decoder gives for each parameter, of one feature. */
  readonly values: readonly (readonly number[])[];
  /** What the law makes of it: the parameters at which log p was computed. */
  readonly natural: Readonly<Record<string, readonly number[]>>;
  /** x of one feature, or of a field of classes, and log p. */
  readonly known: readonly (readonly [number | readonly number[], number])[];
}

/** What is a Bernoulli given the pixels before has no density elsewhere: its cases sum over all pictures. */
type KnownName = Exclude<LikelihoodName, 'autoregressiveBernoulli'>;

export const knownDensities: Record<KnownName, readonly Known[]> = {
  bernoulli: [
    {
      values: [[0.3]],
      natural: { logits: [0.3] },
      known: [
        [0, -0.854355244],
        [1, -0.554355244],
      ],
    },
    {
      values: [[-100]],
      natural: { logits: [-100] },
      known: [
        [0, -3.72007598e-44],
        [1, -100],
      ],
    },
  ],
  continuousBernoulli: [
    {
      values: [[0]],
      natural: { logits: [0] },
      known: [
        [0.001, 0],
        [0.25, 0],
        [0.5, 0],
        [0.9, 0],
        [0.999, 0],
      ],
    },
    {
      values: [[0.001]],
      natural: { logits: [0.001] },
      known: [
        [0.001, -0.000499041667],
        [0.25, -0.000250041667],
        [0.5, -4.16666663e-8],
        [0.9, 0.000399958333],
        [0.999, 0.000498958333],
      ],
    },
    {
      values: [[-2]],
      natural: { logits: [-2] },
      known: [
        [0.001, 0.836560638],
        [0.25, 0.338560638],
        [0.5, -0.161439362],
        [0.9, -0.961439362],
        [0.999, -1.15943936],
      ],
    },
    {
      values: [[100]],
      natural: { logits: [100] },
      known: [
        [0.001, -95.2948298],
        [0.25, -70.3948298],
        [0.5, -45.3948298],
        [0.9, -5.39482981],
        [0.999, 4.50517019],
      ],
    },
  ],
  beta: [
    {
      values: [[0.3]],
      natural: { logits: [0.299937525], logConcentration: [1.41125301] },
      known: [
        [0.001, -7.5488942],
        [0.25, -0.27668446],
        [0.5, 0.360871239],
        [0.9, -0.0417546136],
        [0.999, -3.33255672],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[-3], [4]],
      natural: { logits: [-2.93902403], logConcentration: [4.62117163] },
      known: [
        [0.001, -8.36163707],
        [0.25, -13.0656805],
        [0.5, -48.9434462],
        [0.9, -200.240737],
        [0.999, -639.63429],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[0], [-8]],
      natural: { logits: [0], logConcentration: [-6.04367784] },
      known: [
        [0.001, -0.529410711],
        [0.25, -5.75797947],
        [0.5, -6.04532024],
        [0.9, -5.02488108],
        [0.999, -0.529410711],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[1], [30]],
      natural: { logits: [0.997691627], logConcentration: [9.9594936] },
      known: [
        [0.5, -2332.46971],
        [0.73, 4.85249148],
        [0.9, -2418.92854],
      ],
    },
  ],
  discretisedLogistic: [
    {
      values: [[0]],
      natural: { mean: [0.5], logScale: [-1.58005353] },
      known: [
        [0, -2.50343196],
        [0.00392156863, -6.54202223],
        [0.501960784, -5.34753459],
        [0.996078431, -6.54202223],
        [1, -2.50343196],
      ],
    },
    {
      options: { levels: 256, spread: 'decoded' },
      values: [[0.2], [-4]],
      natural: { mean: [0.7], logScale: [-5.50657024] },
      known: [
        [0, -171.930486],
        [0.00392156863, -171.443653],
        [0.501960784, -48.7741487],
        [0.996078431, -72.9216889],
        [1, -73.4085222],
      ],
    },
    {
      options: { levels: 16, spread: 'decoded' },
      values: [[-3], [1]],
      natural: { mean: [-2.5], logScale: [-0.999026509] },
      known: [
        [0, -0.00102801295],
        [0.0666666667, -8.67967894],
        [0.533333333, -9.94562152],
        [0.933333333, -11.0315243],
        [1, -9.41428945],
      ],
    },
    {
      options: { levels: 256, spread: 'decoded' },
      values: [[0.1], [100]],
      natural: { mean: [0.6], logScale: [4] },
      known: [
        [0, -0.698638913],
        [0.00392156863, -10.9275877],
        [0.501960784, -10.9275587],
        [0.996078431, -10.9275711],
        [1, -0.696798995],
      ],
    },
  ],
  logisticMixture: [
    {
      options: { levels: 256, components: 2 },
      values: [
        [0.3, -0.5],
        [0.1, -0.2],
        [0.3, -1],
      ],
      natural: { logits: [0.3, -0.5], mean: [0.35, 0.55], logScale: [-1.70030278, -2.99145208] },
      known: [
        [0, -2.41540648],
        [0.00392156863, -6.38685218],
        [0.501960784, -4.83022892],
        [0.996078431, -7.79883032],
        [1, -3.94573179],
      ],
    },
    {
      options: { levels: 16, components: 1 },
      values: [[5], [-2], [-9]],
      natural: { logits: [5], mean: [-1.5], logScale: [-5.10847383] },
      known: [
        [0, 0],
        [0.0666666667, -253.6405],
        [0.533333333, -330.83543],
        [0.933333333, -397.002513],
        [1, -408.030343],
      ],
    },
  ],
  gaussian: [
    {
      values: [[0.7]],
      natural: { mean: [0.7], logVar: [0.420739512] },
      known: [
        [-30, -310.530446],
        [-1, -2.07803909],
        [0, -1.29016576],
        [0.5, -1.14243951],
        [2, -1.68410242],
        [1000, -327822.25],
      ],
    },
  ],
  gaussianShared: [
    {
      values: [[0.7]],
      natural: { mean: [0.7], logVar: [-2.57918362] },
      known: [
        [-30, -6213.63964],
        [-1, -18.6836494],
        [0, -2.86000704],
        [0.5, 0.106925903],
        [2, -10.7718282],
        [1000, -6583956.72],
      ],
    },
  ],
  gaussianOptimal: [
    {
      values: [[0.7]],
      natural: { mean: [0.7], logVar: [0.0420735478] },
      known: [
        [-30, -452.769333],
        [-1, -2.32544024],
        [0, -1.17488113],
        [0.5, -0.959151292],
        [2, -1.75016068],
        [1000, -478729.646],
      ],
    },
  ],
  gaussianFixed: [
    {
      options: { sigma: 0.5 },
      values: [[0.7]],
      natural: { mean: [0.7], logVar: [-1.38629436] },
      known: [
        [-30, -1885.2058],
        [-1, -6.00579137],
        [0, -1.20579135],
        [0.5, -0.305791351],
        [2, -3.60579136],
        [1000, -1997201.21],
      ],
    },
    {
      options: { sigma: 100 },
      values: [[-5]],
      natural: { mean: [-5], logVar: [9.2103405] },
      known: [
        [-30, -5.55535878],
        [-1, -5.52490878],
        [0, -5.52535878],
        [0.5, -5.52562128],
        [2, -5.52655878],
        [1000, -56.0253523],
      ],
    },
  ],
  gaussianPredicted: [
    {
      values: [[0.7], [1.2]],
      natural: { mean: [0.7], logVar: [1.20000185] },
      known: [
        [-30, -143.454943],
        [-1, -1.95416429],
        [0, -1.5927319],
        [0.5, -1.52496333],
        [2, -1.7734481],
        [1000, -150387.584],
      ],
    },
    {
      values: [[0.7], [-100]],
      natural: { mean: [0.7], logVar: [-12] },
      known: [
        [0.5, -3250.01477],
        [0.7, 5.08106147],
        [0.701, 4.99968407],
      ],
    },
    {
      values: [[0.7], [30]],
      natural: { mean: [0.7], logVar: [30] },
      known: [
        [-30, -15.9189385],
        [-1, -15.9189385],
        [0, -15.9189385],
        [0.5, -15.9189385],
        [2, -15.9189385],
        [1000, -15.9189386],
      ],
    },
  ],
  laplace: [
    {
      values: [[0.7]],
      natural: { mean: [0.7], logScale: [0.566137044] },
      known: [
        [-30, -18.6881121],
        [-1, -2.22439847],
        [0, -1.65668421],
        [0.5, -1.37282708],
        [2, -1.99731277],
        [1000, -568.576148],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[0.7], [-100]],
      natural: { mean: [0.7], logScale: [-5.99999998] },
      known: [
        [0.5, -75.3789044],
        [0.7, 5.3068528],
        [0.701, 4.90342401],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[-3], [9]],
      natural: { mean: [-3], logScale: [8.62117163] },
      known: [
        [-30, -9.31918553],
        [-1, -9.31467931],
        [0, -9.31485956],
        [0.5, -9.31494968],
        [2, -9.31522006],
        [1000, -9.4951085],
      ],
    },
  ],
  studentT: [
    {
      values: [[0.7]],
      natural: { mean: [0.7], logScale: [0.566137044], freedom: [6.5902581] },
      known: [
        [-30, -16.1421688],
        [-1, -2.02458516],
        [0, -1.61274118],
        [0.5, -1.5302854],
        [2, -1.82424705],
        [1000, -42.4960835],
      ],
    },
    {
      options: { freedom: 0.5, spread: 'decoded' },
      values: [[0.7], [2]],
      natural: { mean: [0.7], logScale: [2.02624677], freedom: [0.5] },
      known: [
        [-30, -5.97621587],
        [-1, -3.40856945],
        [0, -3.34944569],
        [0.5, -3.33782171],
        [2, -3.37959002],
        [1000, -11.1778741],
      ],
    },
    {
      options: { freedom: 100000, spread: 'decoded' },
      values: [[0], [0]],
      natural: { mean: [0], logScale: [0.200510326], freedom: [100000] },
      known: [
        [-6, -13.1715714],
        [-1, -1.4542717],
        [0, -1.11945136],
        [3, -4.13275373],
      ],
    },
    {
      options: { freedom: 3, spread: 'decoded' },
      values: [[0], [-100]],
      natural: { mean: [0], logScale: [-5.99999998], freedom: [3] },
      known: [
        [-30, -30.4084538],
        [-1, -16.8037011],
        [0, 4.99911113],
        [0.5, -14.031223],
        [2, -19.5762622],
        [1000, -44.4346853],
      ],
    },
  ],
  gaussianMixture: [
    {
      options: { components: 3 },
      values: [
        [0.3, -1, 2],
        [-0.5, 0, 0.4],
        [0.2, -1, 1],
      ],
      natural: { logits: [0.3, -1, 2], mean: [-1.5, 0, 1.4], logVar: [0.20000503, -0.999983298, 1.00000226] },
      known: [
        [-30, -182.984757],
        [-1, -2.09410254],
        [0, -1.68862349],
        [0.5, -1.61709403],
        [2, -1.69161877],
        [1000, -183426.263],
      ],
    },
    {
      options: { components: 2 },
      values: [
        [100, -100],
        [0, 0],
        [-3, 3],
      ],
      natural: { logits: [100, -100], mean: [-0.75, 0.75], logVar: [-2.9998766, 3.00000031] },
      known: [
        [-2, -15.1088897],
        [0, -5.06736043],
        [5, -202.868578],
      ],
    },
  ],
  logNormal: [
    {
      values: [[0.5]],
      natural: { location: [0.499953735], logScale: [0.162912078] },
      known: [
        [0.001, -13.9818022],
        [0.3, -0.925894272],
        [1, -1.17207543],
        [4, -2.7517198],
        [300, -16.560534],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[-20], [-100]],
      natural: { location: [-17.483489], logScale: [-6] },
      known: [
        [1e-10, -2499704.44],
        [2e-10, -1913552.54],
        [1, -24874817.9],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[3], [100]],
      natural: { location: [2.99003999], logScale: [2] },
      known: [
        [0.001, 3.09165859],
        [0.3, -1.87604942],
        [1, -3.00081255],
        [4, -4.32878681],
        [300, -8.69016284],
      ],
    },
  ],
  gamma: [
    {
      values: [[0.5]],
      natural: { logMean: [0.499895867], logConcentration: [0.420487401] },
      known: [
        [0.001, -3.6128329],
        [0.3, -0.907620705],
        [1, -0.92486365],
        [4, -2.97123037],
        [300, -274.118583],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[0], [100]],
      natural: { logMean: [0], logConcentration: [9.99999996] },
      known: [
        [0.9, -113.886792],
        [1, 4.08105766],
        [1.01, 2.97707161],
        [1.1, -99.3144124],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[-1], [-100]],
      natural: { logMean: [-0.999167514], logConcentration: [-9.99999996] },
      known: [
        [0.001, -3.09294085],
        [0.3, -8.79650124],
        [1, -10.0005057],
        [4, -11.387107],
        [300, -15.740898],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[12], [1]],
      natural: { logMean: [10.7409915], logConcentration: [0.996679961] },
      known: [
        [0.001, -38.6494504],
        [0.3, -28.9001523],
        [1, -26.8422764],
        [4, -24.4728981],
        [300, -17.1104903],
      ],
    },
  ],
  poisson: [
    {
      values: [[1]],
      natural: { logMean: [0.999167514] },
      known: [
        [0, -2.71601984],
        [1, -1.71685232],
        [2, -1.41083199],
        [7, -4.2470086],
        [40, -73.069959],
        [1000, -4915.67668],
      ],
    },
    {
      values: [[7]],
      natural: { logMean: [6.72751098] },
      known: [
        [0, -835.06618],
        [900, -6.78181422],
        [1000, -19.6833793],
        [1100, -42.5966546],
      ],
    },
    {
      values: [[-100]],
      natural: { logMean: [-19.9981841] },
      known: [
        [0, -2.0648999e-9],
        [1, -19.9981841],
        [2, -40.6895154],
        [7, -148.51245],
        [40, -910.248003],
        [1000, -25910.3123],
      ],
    },
    {
      values: [[15]],
      natural: { logMean: [12.7029792] },
      known: [
        [0, -328725.778],
        [1, -328713.075],
        [300000, -1300.57461],
        [330000, -9.73877646],
        [1000000, -441264.982],
      ],
    },
  ],
  negativeBinomial: [
    {
      values: [[1]],
      natural: { logMean: [0.999167514], logConcentration: [0.420487401] },
      known: [
        [0, -1.55890541],
        [1, -1.58351263],
        [2, -1.79642327],
        [7, -3.48348982],
        [40, -17.3049203],
        [1000, -442.922705],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[7], [2]],
      natural: { logMean: [6.72751098], logConcentration: [1.97375323] },
      known: [
        [0, -34.2776106],
        [10, -25.1930782],
        [900, -6.77053207],
        [10000, -69.9684791],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[1], [100]],
      natural: { logMean: [0.999167514], logConcentration: [9.99999996] },
      known: [
        [0, -2.7158524],
        [1, -1.71680819],
        [2, -1.41086575],
        [7, -4.24675095],
        [40, -73.0393327],
        [1000, -4893.45798],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[6], [-100]],
      natural: { logMean: [5.82625233], logConcentration: [-9.99999996] },
      known: [
        [0, -0.000718510778],
        [1, -10.0007186],
        [2, -10.6938205],
        [7, -11.9465183],
        [40, -13.6894102],
        [1000, -16.9082678],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[15], [9]],
      natural: { logMean: [12.7029792], logConcentration: [7.16297877] },
      known: [
        [0, -7155.81408],
        [1, -7148.65502],
        [300000, -15.1656156],
        [1000000, -1207.46579],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[-100], [3]],
      natural: { logMean: [-19.9981841], logConcentration: [2.91312617] },
      known: [
        [0, -2.0648999e-9],
        [1, -19.9981841],
        [2, -40.6366329],
        [7, -147.486694],
        [40, -883.392886],
        [1000, -22825.553],
      ],
    },
  ],
  zeroInflatedPoisson: [
    {
      values: [[1], [-0.5]],
      natural: { logMean: [0.999167514], zeroLogits: [-0.5] },
      known: [
        [0, -0.870580177],
        [1, -2.19092931],
        [2, -1.88490898],
        [7, -4.72108559],
        [40, -73.544036],
        [1000, -4916.15076],
      ],
    },
    {
      values: [[7], [100]],
      natural: { logMean: [6.72751098], zeroLogits: [100] },
      known: [
        [0, -3.72007607e-44],
        [1, -928.338669],
        [1000, -119.683379],
      ],
    },
    {
      values: [[7], [-100]],
      natural: { logMean: [6.72751098], zeroLogits: [-100] },
      known: [
        [0, -100],
        [1, -828.338669],
        [1000, -19.6833793],
      ],
    },
  ],
  zeroInflatedNegativeBinomial: [
    {
      values: [[1], [-0.5]],
      natural: { logMean: [0.999167514], logConcentration: [0.420487401], zeroLogits: [-0.5] },
      known: [
        [0, -0.676319407],
        [1, -2.05758962],
        [2, -2.27050026],
        [7, -3.95756681],
        [40, -17.7789973],
        [1000, -443.396782],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[7], [3], [0]],
      natural: { logMean: [6.72751098], logConcentration: [0], zeroLogits: [3] },
      known: [
        [0, -0.0485278042],
        [1, -9.77849192],
        [1000, -10.9740886],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[1], [-30], [12]],
      natural: { logMean: [0.999167514], logConcentration: [8.33654612], zeroLogits: [-30] },
      known: [
        [0, -2.71513649],
        [1, -1.71661952],
        [40, -72.9087973],
      ],
    },
  ],
  binomial: [
    {
      options: { trials: 9 },
      values: [[0.7]],
      natural: { logits: [0.7] },
      known: [
        [0, -9.92867444],
        [1, -7.03144986],
        [5, -1.59239253],
        [9, -3.62867444],
      ],
    },
    {
      options: { trials: 255 },
      values: [[-3]],
      natural: { logits: [-3] },
      known: [
        [0, -12.3897747],
        [1, -9.84851111],
        [12, -2.14463095],
        [255, -777.389775],
      ],
    },
    {
      options: { trials: 5 },
      values: [[100]],
      natural: { logits: [100] },
      known: [
        [0, -500],
        [4, -98.3905621],
        [5, -1.86003803e-43],
      ],
    },
    {
      options: { trials: 100000 },
      values: [[0]],
      natural: { logits: [0] },
      known: [
        [0, -69314.7181],
        [49900, -6.18225472],
        [50000, -5.98225659],
        [50300, -7.78224939],
      ],
    },
  ],
  betaBinomial: [
    {
      options: { trials: 9 },
      values: [[0.7]],
      natural: { logits: [0.699207119], logConcentration: [1.41125301] },
      known: [
        [0, -4.583665],
        [1, -3.61524355],
        [5, -2.09529996],
        [9, -1.92034884],
      ],
    },
    {
      options: { trials: 255, spread: 'decoded' },
      values: [[-3], [5]],
      natural: { logits: [-2.93902403], logConcentration: [5.37049573] },
      known: [
        [0, -8.61568595],
        [1, -6.82174594],
        [12, -2.53565014],
        [255, -280.084011],
      ],
    },
    {
      options: { trials: 255, spread: 'decoded' },
      values: [[1], [100]],
      natural: { logits: [0.997691627], logConcentration: [9.99999997] },
      known: [
        [0, -330.53489],
        [180, -3.29501499],
        [186, -2.88624385],
        [255, -79.502933],
      ],
    },
    {
      options: { trials: 5, spread: 'decoded' },
      values: [[0], [-100]],
      natural: { logits: [0], logConcentration: [-9.99999995] },
      known: [
        [0, -0.693194471],
        [3, -11.5686537],
        [5, -0.693194471],
      ],
    },
  ],
  vonMises: [
    {
      values: [[0.6], [0.2]],
      natural: { cosine: [0.948683298], sine: [0.316227766], logConcentration: [0.420563173] },
      known: [
        [-3, -3.84850426],
        [-1.5, -2.72849073],
        [0, -0.905658649],
        [0.7, -0.935156823],
        [3.1, -3.7737315],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[-1], [0.001], [3]],
      natural: { cosine: [-0.9999995], sine: [0.0009999995], logConcentration: [2.93902403] },
      known: [
        [-3, 0.351981366],
        [-1.5, -19.709219],
        [0, -37.2510054],
        [0.7, -32.7949638],
        [3.1, 0.528206174],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[0], [-1e-6], [-100]],
      natural: { cosine: [0], sine: [-0.999999995], logConcentration: [-11.9999986] },
      known: [
        [-3, -1.8378762],
        [-1.5, -1.83787094],
        [0, -1.83787707],
        [0.7, -1.83788102],
        [3.1, -1.83787732],
      ],
    },
    {
      options: { spread: 'decoded' },
      values: [[1], [0], [100]],
      natural: { cosine: [1], sine: [0], logConcentration: [11.9999986] },
      known: [
        [-0.01, -3.05660047],
        [0, 5.08106001],
        [0.001, 4.99968273],
        [1, -74812.8175],
      ],
    },
  ],
  categorical: [
    {
      values: [[-1.2, 0.4, 2.1]],
      natural: { logits: [-1.2, 0.4, 2.1] },
      known: [
        [[1, 0, 0], -3.49849562],
        [[0, 1, 0], -1.89849562],
        [[0, 0, 1], -0.198495625],
      ],
    },
    {
      values: [[100, -100, 100]],
      natural: { logits: [100, -100, 100] },
      known: [
        [[1, 0, 0], -Math.LN2],
        [[0, 1, 0], -200.693147],
      ],
    },
  ],
  ordinal: [
    {
      values: [[0.6]],
      natural: { logits: [-1.44738514, -1.4914199, -1.3945093, -1.23165928] },
      known: [
        [[1, 0, 0, 0], -1.44738514],
        [[0, 1, 0, 0], -1.4914199],
        [[0, 0, 1, 0], -1.3945093],
        [[0, 0, 0, 1], -1.23165928],
      ],
    },
    {
      values: [[-100]],
      natural: { logits: [0, -99.8680218, -100.873456, -101.486619] },
      known: [
        [[1, 0, 0, 0], -6.63931379e-44],
        [[0, 0, 1, 0], -100.873456],
        [[0, 0, 0, 1], -101.486619],
      ],
    },
  ],
};
