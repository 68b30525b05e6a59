namespace Quilt.Cli.Inspect;

/// <summary>Numbers as people read them.</summary>
internal static class Sizes
{
    /// <summary>1.5 GiB.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        >= 1L << 30 => FormattableString.Invariant($"{bytes / (double)(1L << 30):0.00} GiB"),
        >= 1L << 20 => FormattableString.Invariant($"{bytes / (double)(1L << 20):0.0} MiB"),
        >= 1L << 10 => FormattableString.Invariant($"{bytes / (double)(1L << 10):0.0} KiB"),
        _ => $"{bytes} B",
    };

    /// <summary>228.7 B (billions).</summary>
    public static string Count(long count) => count switch
    {
        >= 1_000_000_000 => FormattableString.Invariant($"{count / 1e9:0.00} B"),
        >= 1_000_000 => FormattableString.Invariant($"{count / 1e6:0.0} M"),
        _ => FormattableString.Invariant($"{count:N0}"),
    };
}
