namespace Quilt.Formats.Checkpoints;

/// <summary>
/// How large a model may say it is. Every size that a config states is held to one of these before anything is made of it: memory, loops and the
/// 32-bit counts of kernels are sized by them. Each leaves the largest models that are known room for several times their size.
/// </summary>
internal static class SizeLimits
{
    /// <summary>Decoder layers.</summary>
    public const int Layers = 1024;

    /// <summary>Values of the residual stream, or inside a feed-forward or its shared experts.</summary>
    public const int Width = 1 << 20;

    /// <summary>Heads of a layer.</summary>
    public const int Heads = 4096;

    /// <summary>Values of a head: attention keeps a tile of rows of them on its stack.</summary>
    public const int HeadDim = 1024;

    /// <summary>Values of all heads of a layer.</summary>
    public const int AttentionWidth = 1 << 18;

    /// <summary>Values of the keys of one token in all layers.</summary>
    public const int CacheWidth = 1 << 23;

    /// <summary>Routed experts of a layer.</summary>
    public const int Experts = 4096;

    /// <summary>Experts that a token goes to.</summary>
    public const int ExpertsPerToken = 256;

    /// <summary>Values inside all the experts that a token goes to.</summary>
    public const int RoutedWidth = 1 << 20;

    /// <summary>Tokens.</summary>
    public const int Vocabulary = 1 << 22;

    /// <summary>Positions of a sequence.</summary>
    public const int Positions = 1 << 28;

    /// <summary>Regular expressions in the targets of a quantization config.</summary>
    public const int Patterns = 1000;
}
