using System.Globalization;

namespace Quilt.Hosting;

/// <summary>Amounts of memory as people write them: <c>40 GiB</c>, <c>512MiB</c>, <c>1.5 GB</c>, <c>1073741824</c>.</summary>
internal static class ByteSize
{
    private static readonly (string Unit, double Bytes)[] Units =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("B", 1),
    ];

    /// <summary>Reads one.</summary>
    /// <exception cref="ArgumentException">It is no amount, or none that a machine could have; the message names <paramref name="name"/>.</exception>
    public static long Parse(string text, string name)
    {
        var trimmed = text.AsSpan().Trim();
        var scale = 1.0;
        foreach (var (unit, bytes) in Units)
        {
            if (!trimmed.EndsWith(unit, StringComparison.OrdinalIgnoreCase)) continue;
            trimmed = trimmed[..^unit.Length].TrimEnd();
            scale = bytes;
            break;
        }
        var isNumber = double.TryParse(trimmed, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value);
        return isNumber && value * scale is >= 1 and <= 1L << 50 and var total
            ? (long)total
            : throw new ArgumentException($"{name}: expected an amount of memory such as 40 GiB, found '{text}'.");
    }
}
