namespace Quilt.Kernels.Weights;

/// <summary>How the scales of a weight lie in a GPU's memory; a type, so that a kernel is compiled for one way and branches on none.</summary>
internal interface IGpuScales
{
    /// <summary>32-bit words that hold the scales of rows g and g + 8 of a segment.</summary>
    static abstract int Words { get; }

    /// <summary>
    /// Whether a segment has 64 columns or more, so that one scale holds for a whole unit of the tensor-core kernels; otherwise it has
    /// at least 32.
    /// </summary>
    static virtual bool Wide => false;

    /// <summary>Whether segments have zero points of their own.</summary>
    static virtual bool Zeros => false;
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

/// <summary>As float32, for segments of 64 columns or more.</summary>
internal readonly struct WideFloat32Scales : IGpuScales
{
    public static int Words => 2;

    public static bool Wide => true;
}

/// <summary>As bfloat16, with zero points.</summary>
internal readonly struct BFloat16ZeroScales : IGpuScales
{
    public static int Words => 1;

    public static bool Zeros => true;
}

/// <summary>As float32, with zero points.</summary>
internal readonly struct Float32ZeroScales : IGpuScales
{
    public static int Words => 2;

    public static bool Zeros => true;
}

/// <summary>The scales of rows g and g + 8 of a segment.</summary>
internal struct ScalePair
{
    public float Low;
    public float High;
}
