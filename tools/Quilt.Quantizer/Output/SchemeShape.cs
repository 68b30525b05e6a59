using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Output;

/// <summary>What a scheme means for a matrix of a size.</summary>
internal static class SchemeShape
{
    /// <summary>Rows and columns that share a scale.</summary>
    public static (int Rows, int Columns) Block(WeightScheme scheme, int rows, int columns) => scheme.Strategy switch
    {
        ScaleStrategy.Tensor => (rows, columns),
        ScaleStrategy.Channel => (1, columns),
        ScaleStrategy.Group => (1, scheme.GroupSize),
        _ => (scheme.BlockRows, scheme.BlockColumns),
    };

    /// <summary>The shape of the tensor of scales.</summary>
    public static long[] Scales(WeightScheme scheme, int rows, int columns)
    {
        if (scheme.Strategy == ScaleStrategy.Tensor) return [1];
        var (down, across) = Block(scheme, rows, columns);
        return [Parts(rows, down), Parts(columns, across)];
    }

    /// <summary>Parts of a size that a whole has, the last perhaps smaller.</summary>
    public static int Parts(int whole, int part) => (whole / part) + (whole % part == 0 ? 0 : 1);
}
