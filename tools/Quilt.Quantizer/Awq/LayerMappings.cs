namespace Quilt.Quantizer.Awq;

/// <summary>What a recipe's mappings come to in one layer with routed experts.</summary>
/// <param name="Norm">Whether the norm before the experts takes up the sizes of their inputs.</param>
/// <param name="Router">Whether the recipe lists the router among those that make up for it.</param>
/// <param name="RouterFirst">Whether it is the first of them, whose input counts.</param>
/// <param name="Up">Whether the rows of each expert's up take up the sizes of down's inputs.</param>
internal sealed record LayerMappings(bool Norm, bool Router, bool RouterFirst, bool Up);

/// <summary>How the scales of one mapping were found.</summary>
/// <param name="Smooth">What is divided.</param>
/// <param name="InputMeans">[channels] mean size of each input.</param>
/// <param name="InputPrecision">Its type.</param>
/// <param name="WeightMeans">[channels] mean size of the weights.</param>
/// <param name="Losses">The error of each try.</param>
/// <param name="Best">Which one was taken.</param>
/// <param name="Ratio">Its ratio; −1 for scales of one.</param>
/// <param name="Scales">[channels].</param>
/// <param name="Tokens">Rows of input behind them.</param>
internal sealed record SmoothingResult(string Smooth, float[] InputMeans, Precision InputPrecision, double[] WeightMeans, double[] Losses, int Best,
    double Ratio, double[] Scales, long Tokens);
