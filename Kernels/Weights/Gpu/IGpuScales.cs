namespace Quilt.Kernels.Weights;

/// <summary>How the scales of a weight lie in a GPU's memory; a type, so that a kernel is compiled for one way and branches on none.</summary>
internal interface IGpuScales
{
    /// <summary>32-bit words that hold the scales of rows g and g + 8 of a segment.</summary>
    static abstract int Words { get; }
}

/// <summary>There are none.</summary>
internal readonly struct NoScales : IGpuScales
{
    public static int Words => 0;
}

/// <summary>Both in a word, as bfloat16.</summary>
internal readonly struct BFloat16Scales : IGpuScales
{
    public static int Words => 1;
}

/// <summary>A word each, as float32.</summary>
internal readonly struct Float32Scales : IGpuScales
{
    public static int Words => 2;
}

/// <summary>The scales of rows g and g + 8 of a segment.</summary>
internal struct ScalePair
{
    public float Low;
    public float High;
}
